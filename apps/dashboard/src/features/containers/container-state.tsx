'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { useSentenceText } from '../../i18n/use-sentences'
import { type Shape, StateMark, type Tone } from '../../ui/badge'
import { splitDuration } from '../../ui/format'
import { useNow } from '../../ui/now'

type State = Pick<ContainerSummary['state'], 'status' | 'exitCode' | 'signal' | 'oomKilled' | 'startedAt' | 'finishedAt' | 'error'> & {
  health: string
}

/** How a state looks. Red is for what went wrong; a container that was stopped is calm. */
export function lookOf(state: State): { tone: Tone; shape: Shape } {
  switch (state.status) {
    case 'running':
      if (state.health === 'unhealthy') return { tone: 'bad', shape: 'alert' }
      if (state.health === 'starting') return { tone: 'warn', shape: 'half' }
      return { tone: 'good', shape: 'full' }
    case 'paused':
      return { tone: 'warn', shape: 'bars' }
    case 'restarting':
    case 'removing':
      return { tone: 'warn', shape: 'turning' }
    case 'dead':
      return { tone: 'bad', shape: 'cross' }
    case 'exited':
      return troubled(state) ? { tone: 'bad', shape: 'cross' } : { tone: 'calm', shape: 'ring' }
    case 'created':
      return state.error ? { tone: 'bad', shape: 'cross' } : { tone: 'calm', shape: 'ring' }
  }
}

/** Ended by itself with a failure: not 0, and not the 137 or 143 of somebody's stop. */
export function troubled(state: State): boolean {
  return state.oomKilled || Boolean(state.error) || (state.exitCode !== 0 && state.exitCode !== 143 && state.exitCode !== 137)
}

const signalNames: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  31: 'SIGSYS',
}

/** `SIGKILL` for 9; the number where it has no common name. */
export function signalName(signal: number): string {
  return signalNames[signal] ?? `${signal}`
}

/** Mark and words: "Up 3 h", "Exited (137) 2 min ago". */
export function ContainerState({ state, className }: { state: State; className?: string }) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const said = useSentenceText()
  const now = useNow(1)
  const { tone, shape } = lookOf(state)
  const span = (at: string | null) => {
    if (!at || now === 0) return ''
    const part = splitDuration((now - Date.parse(at)) / 1000)[0]
    return part ? `${part.value} ${tu(`unit.${part.unit}`)}` : ''
  }
  const words =
    state.status === 'running'
      ? t('state.up', { duration: span(state.startedAt) })
      : state.status === 'exited'
        ? state.oomKilled
          ? t('state.oom', { duration: span(state.finishedAt) })
          : t('state.exited', { code: state.exitCode, duration: span(state.finishedAt) })
        : state.status === 'restarting' && state.finishedAt
          ? t('state.restarting', { code: state.exitCode })
          : state.status === 'created' && state.error
            ? t('state.notStarted')
            : t(`status.${state.status}`)
  return (
    <span className={className ?? 'inline-flex min-w-0 max-w-full items-center gap-1.5'}>
      <StateMark shape={shape} tone={tone} />
      <span className="truncate" title={state.error ? `${words}${tu('colon')}${said(state.error)}` : words} suppressHydrationWarning>
        {words}
        {state.status === 'running' && state.health !== 'none' ? (
          <span className="text-ink-3"> · {t(`health.${state.health as 'healthy'}`)}</span>
        ) : null}
      </span>
    </span>
  )
}
