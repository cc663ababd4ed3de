'use client'
import type { Operation } from '@berth/contract/operation'
import { Ban } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type Shape, StateLabel, type Tone } from '../../ui/badge'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { useNow } from '../../ui/now'
import { ProgressList } from '../../ui/progress-list'
import { useAction } from '../../ui/use-action'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { familiarReference } from '../../wire/familiar'
import { useOperation } from '../../wire/hooks'

/** How the state of a long task looks. */
export function operationLook(state: Operation['state']): { shape: Shape; tone: Tone } {
  switch (state) {
    case 'running':
      return { shape: 'turning', tone: 'accent' }
    case 'succeeded':
      return { shape: 'full', tone: 'good' }
    case 'failed':
      return { shape: 'cross', tone: 'bad' }
    case 'cancelled':
      return { shape: 'dash', tone: 'calm' }
  }
}

/** One long task live: its parts, its output, how it ended, and the way to cancel it. */
export function OperationTab({ hostId, id }: { hostId: string; id: string }) {
  const t = useTranslations('activity')
  const format = useFormat()
  const now = useNow()
  const allow = useAllow(hostId)
  const { operation, failure } = useOperation(hostId, id)
  const cancel = useAction((_: undefined) => agentClient(hostId).operations.cancel.mutate({ operation: id }), {
    failed: () => t('cancelFailed'),
  })
  if (failure) return <ErrorPanel error={failure} className="m-3" compact />
  if (!operation) return <p className="p-3 text-ink-3">{t('opening')}</p>
  const seconds = ((operation.endedAt ? Date.parse(operation.endedAt) : now) - Date.parse(operation.startedAt)) / 1000
  return (
    <div className="flex min-h-0 flex-1 flex-col" data-operation-state={operation.state}>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b px-3 py-1.5">
        <StateLabel {...operationLook(operation.state)}>
          <span role="status">{t(`state.${operation.state}`)}</span>
        </StateLabel>
        <span className="min-w-0 truncate font-medium">
          {t(`kind.${operation.kind}`)} <span className="font-mono text-xs">{familiarReference(operation.subject)}</span>
        </span>
        <span className="tabular text-ink-3 text-xs">
          {format.duration(seconds)} · {operation.startedBy}
        </span>
        {operation.state === 'running' ? (
          <Button
            size="small"
            className="ml-auto"
            busy={cancel.busy}
            disabledReason={allow('operate')}
            onClick={() => cancel.run(undefined)}
          >
            <Ban aria-hidden />
            {t('cancel')}
          </Button>
        ) : null}
      </div>
      {operation.error ? <ErrorPanel error={operation.error} title={t('failedTitle')} compact className="m-2" /> : null}
      <ProgressList lines={operation.progress} label={t('output')} className="flex-1" />
    </div>
  )
}
