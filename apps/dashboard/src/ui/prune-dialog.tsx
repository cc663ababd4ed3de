'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { ConfirmDialog } from './confirm-dialog'
import { ErrorPanel } from './error-panel'
import { useFormat } from './format'
import { SkeletonRows } from './skeleton'
import { sayDone } from './toaster'

interface Removed {
  removed: readonly { id: string; name: string; sizeBytes: number }[]
  reclaimedBytes: number
}

/** Removes what nothing uses, after it has shown exactly what that is. `prune(true)` must change nothing. */
export function PruneDialog({
  title,
  description,
  nothing,
  list,
  withSizes = true,
  queryKey,
  prune,
  typeName,
  commandLine,
  onClose,
  words,
  children,
}: {
  title: string
  description: string
  /** Shown in place of the list when nothing would go. */
  nothing: string
  /** What the list is, for screen readers. */
  list: string
  withSizes?: boolean
  queryKey: readonly unknown[]
  prune: (dryRun: boolean) => Promise<Removed>
  /** Must be typed first, when anything would go. */
  typeName?: string
  commandLine: string
  onClose: () => void
  words: { verb: (count: number, size: string) => string; done: (count: number, size: string) => string }
  /** Choices; whatever they change belongs into `queryKey`. */
  children?: ReactNode
}) {
  const t = useTranslations('ui')
  const format = useFormat()
  const dry = useQuery({ queryKey: ['prune', ...queryKey], queryFn: () => prune(true), gcTime: 0, staleTime: 0 })
  const rows = dry.data?.removed ?? []
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={description}
      verb={dry.data ? words.verb(rows.length, format.bytes(dry.data.reclaimedBytes)) : t('loading')}
      refusal={dry.data ? (rows.length === 0 ? nothing : null) : t('loading')}
      typeName={rows.length > 0 ? typeName : undefined}
      commandLine={() => commandLine}
      onConfirm={async () => {
        const result = await prune(false)
        sayDone(words.done(result.removed.length, format.bytes(result.reclaimedBytes)))
      }}
    >
      {children}
      {dry.error ? <ErrorPanel error={dry.error} compact onRetry={() => void dry.refetch()} /> : null}
      {dry.isPending ? <SkeletonRows rows={3} /> : null}
      {dry.data && rows.length === 0 ? <p className="text-ink-2">{nothing}</p> : null}
      {rows.length > 0 ? (
        <ul className="max-h-60 overflow-y-auto rounded-md border bg-sunken px-3 py-2 text-xs" aria-label={list}>
          {rows.map((one) => (
            <li key={one.id} className="flex justify-between gap-4 py-0.5">
              <span className="min-w-0 truncate font-mono">{one.name || one.id.replace('sha256:', '').slice(0, 12)}</span>
              {withSizes ? <span className="tabular shrink-0 text-ink-3">{format.bytes(one.sizeBytes)}</span> : null}
            </li>
          ))}
        </ul>
      ) : null}
    </ConfirmDialog>
  )
}
