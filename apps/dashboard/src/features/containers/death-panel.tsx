'use client'
import { useQuery } from '@tanstack/react-query'
import { CircleCheck, CirclePause, Skull } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { AnsiText } from '../../ui/ansi-text'
import { useFormat } from '../../ui/format'
import { Ago } from '../../ui/now'
import { Sentence } from '../../ui/sentence'
import { useAgent } from '../../wire/agent'
import { signalName, troubled } from './container-state'
import type { TabInput } from './container-tab'

/** Why it is not running: what its status means in words, the signal, want of memory, how long it lived, and its last lines. */
export function DeathPanel({ hostId, detail }: TabInput) {
  const t = useTranslations('containers')
  const format = useFormat()
  const { state } = detail
  const bad = troubled({ ...state, health: state.health.status })
  // Nobody has died of being paused, or of coming to an end in peace.
  const Icon = state.status === 'paused' ? CirclePause : bad ? Skull : CircleCheck
  const tail = useQuery(useAgent(hostId).logs.read.queryOptions({ container: detail.id, tail: 12, limit: 12 }))
  const lived = state.startedAt && state.finishedAt ? (Date.parse(state.finishedAt) - Date.parse(state.startedAt)) / 1000 : null
  return (
    <section className={`rounded-lg border xl:col-span-2 ${bad ? 'border-bad/40 bg-bad-soft' : 'bg-surface'}`} data-testid="death">
      <div className="flex gap-3 p-3.5">
        <Icon className={`mt-0.5 size-5 shrink-0 ${bad ? 'text-bad' : 'text-ink-3'}`} strokeWidth={1.5} aria-hidden />
        <div className="grid min-w-0 flex-1 gap-1">
          <h2 className="font-semibold text-base">{meaning(t, state)}</h2>
          {state.error ? (
            <p className="break-words text-ink-2">
              <Sentence>{state.error}</Sentence>
            </p>
          ) : null}
          <p className="text-ink-2 text-xs">
            {state.finishedAt || state.exitCode !== 0 ? t('death.status', { code: state.exitCode }) : null}
            {state.signal ? ` · ${signalName(state.signal)}` : ''}
            {state.oomKilled ? ` · OOM` : ''}
            {lived === null ? '' : ` · ${t('death.lived', { duration: format.duration(lived) })}`}
            {state.finishedAt ? (
              <>
                {' · '}
                <Ago at={state.finishedAt} />
              </>
            ) : null}
          </p>
        </div>
      </div>
      {tail.data && tail.data.records.length > 0 ? (
        <div className="border-t">
          <div className="flex items-center justify-between px-3.5 pt-2 pb-1">
            <h3 className="eyebrow">{t('death.lastLines')}</h3>
            <Link href={`/h/${hostId}/containers/${detail.id}?tab=logs`} className="text-accent text-xs hover:underline">
              {t('death.wholeLog')}
            </Link>
          </div>
          <section
            aria-label={t('death.lastLines')}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
            tabIndex={0}
            className="max-h-64 overflow-auto rounded-b-lg bg-term px-3.5 py-2"
          >
            <pre className="whitespace-pre-wrap break-all text-term-ink text-xs leading-5">
              {tail.data.records.map((record) => (
                <span key={record.offset} className="block">
                  <AnsiText text={record.text} />
                </span>
              ))}
            </pre>
          </section>
        </div>
      ) : null}
    </section>
  )
}

/** The status in words: what most programs mean by it. */
function meaning(t: ReturnType<typeof useTranslations<'containers'>>, state: TabInput['detail']['state']): string {
  if (state.oomKilled) return t('death.oom')
  if (state.error) return t('death.notStarted')
  if (state.status === 'paused') return t('death.paused')
  if (state.status === 'restarting') return t('death.restarting')
  switch (state.exitCode) {
    case 0:
      return t('death.well')
    case 126:
      return t('death.notExecutable')
    case 127:
      return t('death.noCommand')
    case 137:
      return t('death.killed')
    case 139:
      return t('death.segfault')
    case 143:
      return t('death.terminated')
    default:
      return state.signal ? t('death.signal', { signal: signalName(state.signal) }) : t('death.failed', { code: state.exitCode })
  }
}
