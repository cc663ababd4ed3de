'use client'
import { useQuery } from '@tanstack/react-query'
import { Ellipsis, Layers, Play } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { CopyButton } from '../../ui/code-block'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Gone } from '../../ui/gone'
import { Ago } from '../../ui/now'
import { PageBody, PageHead, useTabTitle } from '../../ui/page'
import { Card, Fact, Facts } from '../../ui/section'
import { SkeletonPage } from '../../ui/skeleton'
import { useAcross } from '../../wire/across'
import { useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { failureOf } from '../../wire/failure'
import { useHost } from '../../wire/hosts'
import { ImageMenu } from './image-menu'
import { imageName } from './image-name'

/** One image: what it would run, how it was made layer by layer, who uses it. */
export function ImagePage({ hostId, image }: { hostId: string; image: string }) {
  const t = useTranslations('images')
  const router = useRouter()
  const format = useFormat()
  const allow = useAllow(hostId)
  const host = useHost(hostId)
  const agent = useAgent(hostId)
  const query = useQuery(agent.images.inspect.queryOptions({ image }))
  const history = useQuery(agent.images.history.queryOptions({ image }))
  const users = useAcross(hostId, 'containers').rows.filter((row) => row.item.imageId === query.data?.id)
  useTabTitle(query.data && imageName(query.data))
  if (query.error && failureOf(query.error).code === 'not_found')
    return <Gone icon={<Layers aria-hidden />} words={t('gone')} list={{ href: `/h/${hostId}/images`, label: t('toList') }} />
  if (query.error) return <ErrorPanel error={query.error} title={t('failed')} onRetry={() => void query.refetch()} className="m-4" />
  if (!query.data) return <SkeletonPage />
  const detail = query.data
  const { config } = detail
  const row = { hostId, hostName: host?.name ?? '', stale: false, item: detail }
  return (
    <>
      <PageHead
        title={<span className="font-mono">{imageName(detail)}</span>}
        trail={[
          { href: `/h/${hostId}/images`, label: t('title') },
          { href: `/h/${hostId}`, label: host?.name },
        ]}
        actions={
          <>
            <Button
              tone="primary"
              disabledReason={allow('create')}
              onClick={() => router.push(`/h/${hostId}/containers/new?image=${encodeURIComponent(detail.tags[0] ?? detail.id)}`)}
            >
              <Play aria-hidden />
              {t('run')}
            </Button>
            <ImageMenu
              row={row}
              onRemoved={() => router.push(`/h/${hostId}/images`)}
              trigger={
                <Button size="icon" hint={t('actionsOf', { name: imageName(detail) })}>
                  <Ellipsis aria-hidden />
                </Button>
              }
            />
          </>
        }
      />
      <PageBody className="grid content-start items-start gap-3 xl:grid-cols-2">
        <Card title={t('about')}>
          <Facts>
            <Fact name={t('tags')}>
              <span className="flex flex-wrap gap-1">
                {detail.tags.length > 0
                  ? detail.tags.map((tag) => (
                      <Badge key={tag} className="whitespace-normal break-all font-mono">
                        {tag}
                      </Badge>
                    ))
                  : t('untagged')}
              </span>
            </Fact>
            <Fact name={t('column.id')} mono>
              {detail.id} <CopyButton text={detail.id} className="inline-flex size-5 align-middle" />
            </Fact>
            {detail.digests.map((digest) => (
              <Fact key={digest} name={t('digest')} mono>
                {digest}
              </Fact>
            ))}
            <Fact name={t('column.size')}>{format.bytes(detail.sizeBytes)}</Fact>
            <Fact name={t('column.platform')} mono>
              {[detail.platform.os, detail.platform.architecture, detail.platform.variant].filter(Boolean).join('/')}
            </Fact>
            <Fact name={t('column.created')}>
              <Ago at={detail.createdAt} />
            </Fact>
            {detail.author ? <Fact name={t('author')}>{detail.author}</Fact> : null}
          </Facts>
        </Card>
        <Card title={t('runs')}>
          <Facts>
            <Fact name="ENTRYPOINT" mono>
              {config.entrypoint ? JSON.stringify(config.entrypoint) : '–'}
            </Fact>
            <Fact name="CMD" mono>
              {config.cmd ? JSON.stringify(config.cmd) : '–'}
            </Fact>
            <Fact name="USER" mono>
              {config.user || 'root'}
            </Fact>
            <Fact name="WORKDIR" mono>
              {config.workingDir || '/'}
            </Fact>
            <Fact name="EXPOSE" mono>
              {config.exposedPorts.join(', ') || '–'}
            </Fact>
            <Fact name="VOLUME" mono>
              {config.volumes.join(', ') || '–'}
            </Fact>
            <Fact name="ENV" mono>
              {config.env.length > 0
                ? config.env.map((line) => (
                    <span key={line} className="block">
                      {line}
                    </span>
                  ))
                : '–'}
            </Fact>
          </Facts>
        </Card>
        <Card title={t('usedByTitle')} aside={users.length} className="xl:col-span-2" bodyClassName={users.length > 0 ? 'p-2' : undefined}>
          {users.length === 0 ? <p className="text-ink-3">{t('unused')}</p> : null}
          <ul className="flex flex-wrap gap-1">
            {users.map((user) => (
              <li key={user.item.id}>
                <Link
                  href={`/h/${hostId}/containers/${user.item.id}`}
                  className="block rounded-md px-2 py-1 hover:bg-hover hover:underline"
                >
                  {user.item.name}
                </Link>
              </li>
            ))}
          </ul>
        </Card>
        <Card title={t('layers')} aside={t('layerCount', { count: detail.layers.length })} className="xl:col-span-2" bodyClassName="p-0">
          {history.error ? <ErrorPanel error={history.error} compact className="m-3" /> : null}
          <ol>
            {[...(history.data ?? [])].reverse().map((entry, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the history of an image never changes
              <li key={index} className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-4 border-b px-3.5 py-2 last:border-b-0">
                <code className="break-all text-ink-2 text-xs">{entry.createdBy || entry.comment || '–'}</code>
                <span className="tabular shrink-0 text-right text-xs">
                  {entry.emptyLayer ? <span className="text-ink-off">0 B</span> : format.bytes(entry.sizeBytes)}
                </span>
              </li>
            ))}
          </ol>
        </Card>
      </PageBody>
    </>
  )
}
