'use client'
import { useQuery } from '@tanstack/react-query'
import { Ellipsis, HardDrive } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Button } from '../../ui/button'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Gone } from '../../ui/gone'
import { Ago } from '../../ui/now'
import { PageHead, useTabTitle } from '../../ui/page'
import { Card, Fact, Facts } from '../../ui/section'
import { SkeletonPage } from '../../ui/skeleton'
import { useAgent } from '../../wire/agent'
import { failureOf } from '../../wire/failure'
import { useHost } from '../../wire/hosts'
import { VolumeMenu } from './volume-menu'

/** One volume: who uses it, how large it is, and its files (`files`, drawn by another feature). */
export function VolumePage({ hostId, name, files }: { hostId: string; name: string; files: ReactNode }) {
  const t = useTranslations('volumes')
  const router = useRouter()
  const format = useFormat()
  const host = useHost(hostId)
  const query = useQuery(useAgent(hostId).volumes.inspect.queryOptions({ volume: name, withSize: true }))
  useTabTitle(query.data?.name)
  if (query.error && failureOf(query.error).code === 'not_found')
    return <Gone icon={<HardDrive aria-hidden />} words={t('gone')} list={{ href: `/h/${hostId}/volumes`, label: t('toList') }} />
  if (query.error) return <ErrorPanel error={query.error} title={t('failed')} onRetry={() => void query.refetch()} className="m-4" />
  if (!query.data) return <SkeletonPage />
  const volume = query.data
  return (
    <>
      <PageHead
        title={volume.anonymous ? volume.name.slice(0, 12) : volume.name}
        trail={[
          { href: `/h/${hostId}/volumes`, label: t('title') },
          { href: `/h/${hostId}`, label: host?.name },
        ]}
        actions={
          <VolumeMenu
            hostId={hostId}
            volume={volume}
            onRemoved={() => router.push(`/h/${hostId}/volumes`)}
            trigger={
              <Button>
                <Ellipsis aria-hidden />
                {t('column.actions')}
              </Button>
            }
          />
        }
      />
      <div className="flex min-h-0 flex-1 flex-col overflow-auto">
        <div className="shrink-0 px-3 pb-2 sm:px-4">
          <Card>
            <Facts className="sm:grid-cols-[auto_minmax(0,1fr)_auto_minmax(0,1fr)]">
              <Fact name={t('column.size')}>{volume.sizeBytes === null ? '–' : format.bytes(volume.sizeBytes)}</Fact>
              <Fact name={t('column.created')}>
                <Ago at={volume.createdAt} />
              </Fact>
              <Fact name={t('column.usedBy')}>
                {volume.usedBy.length === 0 ? <span className="text-ink-3">{t('unused')}</span> : null}
                {volume.usedBy.map((user) => (
                  <span key={`${user.id}${user.destination}`} className="block">
                    <Link href={`/h/${hostId}/containers/${user.id}`} className="tap text-accent hover:underline">
                      {user.name}
                    </Link>{' '}
                    <span className="font-mono text-ink-3 text-xs">
                      {user.destination}
                      {user.readOnly ? ' (ro)' : ''}
                    </span>
                  </span>
                ))}
              </Fact>
              <Fact name={t('column.mountpoint')} mono>
                {volume.mountpoint}
              </Fact>
              {Object.keys(volume.labels).length > 0 ? (
                <Fact name={t('labels')} mono>
                  {Object.entries(volume.labels)
                    .map(([key, value]) => `${key}=${value}`)
                    .join(', ')}
                </Fact>
              ) : null}
            </Facts>
          </Card>
        </div>
        <div className="flex min-h-80 flex-1 flex-col border-t">{files}</div>
      </div>
    </>
  )
}
