'use client'
import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { ErrorPanel } from '../../ui/error-panel'
import { SkeletonRows } from '../../ui/skeleton'
import { useAgent } from '../../wire/agent'
import { CreateForm } from './create-form'
import { fillForm } from './form-values'

/** The create page: empty, with an image (`?image=`), or filled from a container (`?from=`). */
export function CreatePage({ hostId }: { hostId: string }) {
  const t = useTranslations('containers')
  const search = useSearchParams()
  const from = search.get('from')
  const image = search.get('image')
  const source = useQuery(useAgent(hostId).containers.inspect.queryOptions({ container: from ?? '' }, { enabled: from !== null }))
  if (from === null) return <CreateForm key={hostId} hostId={hostId} initial={image ? { image } : undefined} />
  if (source.error)
    return <ErrorPanel error={source.error} title={t('create.sourceFailed')} onRetry={() => void source.refetch()} className="m-4" />
  if (!source.data) return <SkeletonRows />
  return <CreateForm key={`${hostId}${from}`} hostId={hostId} initial={fillForm(`${source.data.name}-copy`, source.data.options)} />
}
