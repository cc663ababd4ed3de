'use client'
import type { BoundPort } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { Tooltip } from '../../ui/tooltip'

/** `8080→80`, with an address if it is not every address. */
export function portText(port: BoundPort): string {
  const protocol = port.protocol === 'tcp' ? '' : `/${port.protocol}`
  if (port.hostPort === null) return `${port.containerPort}${protocol}`
  const everywhere = !port.hostIp || port.hostIp === '0.0.0.0' || port.hostIp === '::'
  return `${everywhere ? '' : `${port.hostIp}:`}${port.hostPort}→${port.containerPort}${protocol}`
}

/** Published first; the same port on IPv4 and IPv6 counts once. */
export function distinctPorts(ports: readonly BoundPort[]): BoundPort[] {
  const seen = new Map<string, BoundPort>()
  for (const port of ports) {
    const text = portText(port)
    if (!seen.has(text)) seen.set(text, port)
  }
  return [...seen.values()].sort((a, b) => Number(a.hostPort === null) - Number(b.hostPort === null) || a.containerPort - b.containerPort)
}

/** The first two, the others folded. */
export function Ports({ ports, show = 2 }: { ports: readonly BoundPort[]; show?: number }) {
  const t = useTranslations('ui')
  const all = distinctPorts(ports)
  const rest = all.slice(show)
  return (
    <span className="flex items-center gap-1 overflow-hidden">
      {all.slice(0, show).map((port) => (
        <span
          key={portText(port)}
          className={`tabular truncate rounded-sm px-1 font-mono text-2xs ${port.hostPort === null ? 'text-ink-3' : 'bg-accent-soft text-accent'}`}
        >
          {portText(port)}
        </span>
      ))}
      {rest.length > 0 ? (
        <Tooltip words={rest.map(portText).join(', ')}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its tooltip is read by keyboard too */}
          <span tabIndex={0} className="shrink-0 text-ink-3 text-2xs">
            {t('plusMore', { count: rest.length })}
          </span>
        </Tooltip>
      ) : null}
    </span>
  )
}
