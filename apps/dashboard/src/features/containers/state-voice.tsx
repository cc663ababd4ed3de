'use client'
import type { ContainerState } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { useRef } from 'react'

/** Tells a screen reader that the container of the page has changed its state, or its health, while it is looked at: the mark that shows it says nothing by itself. */
export function StateVoice({ name, state }: { name: string; state: Pick<ContainerState, 'status' | 'exitCode' | 'health'> }) {
  const t = useTranslations('containers')
  const words = [
    state.status === 'exited' ? `${t('status.exited')} (${state.exitCode})` : t(`status.${state.status}`),
    ...(state.status === 'running' && state.health.status !== 'none' ? [t(`health.${state.health.status}`)] : []),
  ].join(' · ')
  const first = useRef(words)
  const moved = useRef(false)
  if (words !== first.current) moved.current = true
  return (
    <p role="status" className="sr-only">
      {moved.current ? `${name}: ${words}` : ''}
    </p>
  )
}
