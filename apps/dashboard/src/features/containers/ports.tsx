'use client'
import type { BoundPort } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { Tooltip } from '../../ui/tooltip'
import { type PortRange, portRanges, portText } from './port-ranges'

/**
 * The first of them, the others folded; all on hover. Filled: reachable at every address of the host; outlined: at one address only, which is named where
 * there is room (`addresses`).
 */
export function Ports({ ports, show = 1, addresses = false }: { ports: readonly BoundPort[]; show?: number; addresses?: boolean }) {
  const t = useTranslations('ui')
  const all = portRanges(ports)
  if (all.length === 0) return null
  const rest = all.length - show
  const look = (range: PortRange) =>
    range.hostPort === null
      ? 'text-ink-3'
      : range.hostIp
        ? 'border border-accent/40 text-accent'
        : 'border border-transparent bg-accent-soft text-accent'
  const chips = (
    <span className={`flex items-center gap-1 ${addresses ? 'flex-wrap' : 'overflow-hidden'}`}>
      {all.slice(0, show).map((range) => (
        <span key={portText(range)} className={`tabular truncate rounded-sm px-1 font-mono text-2xs ${look(range)}`}>
          {portText(range, addresses)}
        </span>
      ))}
      {rest > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its tooltip is read by keyboard too
        <span tabIndex={0} className="shrink-0 text-ink-3 text-2xs">
          {t('plusMore', { count: rest })}
        </span>
      ) : null}
    </span>
  )
  return addresses && rest <= 0 ? (
    chips
  ) : (
    <Tooltip words={<span className="whitespace-pre-line">{all.map((range) => portText(range)).join('\n')}</span>}>{chips}</Tooltip>
  )
}
