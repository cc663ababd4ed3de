'use client'
import { useQuery } from '@tanstack/react-query'
import { createColumnHelper } from '@tanstack/react-table'
import { RotateCw } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { DataTable } from '../../ui/data-table'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { visibleText } from '../../ui/visible-text'
import { useAgent } from '../../wire/agent'
import type { TabInput } from './container-tab'

interface Change {
  kind: 'A' | 'C' | 'D'
  path: string
}
const tones = { A: 'good', C: 'brass', D: 'bad' } as const
const column = createColumnHelper<Change>()

/** What differs from the image: added, changed, deleted. */
export function ChangesTab({ hostId, detail }: TabInput) {
  const t = useTranslations('containers')
  const changes = useQuery(useAgent(hostId).containers.changes.queryOptions({ container: detail.id }, { staleTime: 0 }))
  const columns = useMemo(
    () => [
      column.accessor('kind', {
        id: 'kind',
        meta: { label: t('changes.kind'), width: 110, fixed: true },
        cell: ({ getValue }) => <Badge tone={tones[getValue()]}>{t(`changes.${getValue()}`)}</Badge>,
      }),
      column.accessor('path', {
        id: 'path',
        meta: { label: t('changes.path'), fixed: true },
        cell: ({ getValue }) => <span className="block truncate font-mono text-xs">{visibleText(getValue())}</span>,
      }),
    ],
    [t],
  )
  const facets = useMemo(
    () => [
      { key: 'kind', label: t('changes.kind'), values: (row: Change) => [row.kind], name: (value: string) => t(`changes.${value as 'A'}`) },
    ],
    [t],
  )
  if (changes.error) return <ErrorPanel error={changes.error} onRetry={() => void changes.refetch()} className="m-4" />
  return (
    <DataTable
      id="changes"
      label={t('tab.changes')}
      rows={changes.data ?? []}
      columns={columns}
      rowId={(row) => row.path}
      rowName={(row) => row.path}
      searchText={(row) => row.path}
      searchLabel={t('changes.search')}
      facets={facets}
      loading={changes.isPending}
      actions={
        <Button size="icon" tone="quiet" hint={t('changes.again')} busy={changes.isFetching} onClick={() => void changes.refetch()}>
          <RotateCw aria-hidden />
        </Button>
      }
      card={(row) => (
        <p className="flex gap-2">
          <Badge tone={tones[row.kind]}>{t(`changes.${row.kind}`)}</Badge>
          <span className="break-all font-mono text-xs">{visibleText(row.path)}</span>
        </p>
      )}
      empty={<EmptyState>{t('changes.none')}</EmptyState>}
    />
  )
}
