'use client'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Download, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Sheet } from '../../ui/dialog'
import { useShowTask } from '../../ui/dock'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { SkeletonRows } from '../../ui/skeleton'
import { sayDone } from '../../ui/toaster'
import { useAction } from '../../ui/use-action'
import { agentClient, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { agentCommand } from '../../wire/command-line'
import { useHost } from '../../wire/hosts'

/** What a registry holds: repositories, their tags; a tag can be pulled or deleted. */
export function Catalog({ hostId, server, onClose }: { hostId: string; server: string; onClose: () => void }) {
  const t = useTranslations('registries')
  const agent = agentClient(hostId)
  const [open, setOpen] = useState<string | null>(null)
  const pages = useInfiniteQuery({
    queryKey: ['catalog', hostId, server],
    queryFn: ({ pageParam }) => agent.registries.catalog.query({ server, limit: 100, ...(pageParam ? { last: pageParam } : {}) }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    staleTime: 0,
    retry: false,
  })
  const repositories = pages.data?.pages.flatMap((page) => page.repositories) ?? []
  return (
    <Sheet
      open
      onOpenChange={(next) => !next && onClose()}
      title={<span className="font-mono text-base">{server}</span>}
      description={t('look.title')}
    >
      {pages.error ? <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} /> : null}
      {pages.isPending ? <SkeletonRows /> : null}
      {pages.data && repositories.length === 0 ? <EmptyState>{t('look.empty')}</EmptyState> : null}
      <ul className="divide-y divide-line rounded-md border">
        {repositories.map((repository) => (
          <li key={repository}>
            <button
              type="button"
              aria-expanded={open === repository}
              onClick={() => setOpen(open === repository ? null : repository)}
              className="w-full px-3 py-2 text-left font-mono text-xs hover:bg-hover"
            >
              {repository}
            </button>
            {open === repository ? <Tags hostId={hostId} repository={`${server}/${repository}`} /> : null}
          </li>
        ))}
      </ul>
      {pages.hasNextPage ? (
        <Button className="mt-3" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t('look.more')}
        </Button>
      ) : null}
    </Sheet>
  )
}

function Tags({ hostId, repository }: { hostId: string; repository: string }) {
  const t = useTranslations('registries')
  const tags = useQuery(useAgent(hostId).registries.tags.queryOptions({ repository }, { staleTime: 0, retry: false }))
  const allow = useAllow(hostId)
  const host = useHost(hostId)
  const show = useShowTask()
  const [deleting, setDeleting] = useState<string | null>(null)
  const pull = useAction((reference: string) => agentClient(hostId).images.pull.mutate({ reference }), {
    failed: (reference) => t('look.pullFailed', { reference }),
    after: (operation, reference) => show({ id: hostId, name: host?.name }, operation.id, reference),
  })
  if (tags.error) return <ErrorPanel error={tags.error} compact className="m-2" />
  if (!tags.data) return <SkeletonRows rows={2} />
  return (
    <ul className="border-t bg-sunken px-3 py-1.5">
      {tags.data.length === 0 ? <li className="py-1 text-ink-3 text-xs">{t('look.noTags')}</li> : null}
      {tags.data.map((tag) => (
        <li key={tag} className="flex items-center justify-between gap-2 py-0.5">
          <span className="truncate font-mono text-xs">{tag}</span>
          <span className="flex">
            <Button
              tone="quiet"
              size="icon-small"
              hint={t('look.pull', { tag })}
              disabledReason={allow('operate')}
              onClick={() => pull.run(`${repository}:${tag}`)}
            >
              <Download aria-hidden />
            </Button>
            <Button
              tone="danger-quiet"
              size="icon-small"
              hint={t('look.delete', { tag })}
              disabledReason={allow('configure')}
              onClick={() => setDeleting(tag)}
            >
              <Trash2 aria-hidden />
            </Button>
          </span>
        </li>
      ))}
      {deleting ? (
        <ConfirmDialog
          open
          onOpenChange={() => setDeleting(null)}
          title={t('look.deleteTitle', { tag: deleting })}
          description={t('look.deleteHelp')}
          verb={t('look.deleteVerb')}
          typeName={deleting}
          commandLine={() => agentCommand(hostId, 'registries', 'deleteTag', { reference: `${repository}:${deleting}` })}
          onConfirm={async () => {
            await agentClient(hostId).registries.deleteTag.mutate({ reference: `${repository}:${deleting}` })
            sayDone(t('look.deleted', { tag: deleting }))
            await tags.refetch()
          }}
        />
      ) : null}
    </ul>
  )
}
