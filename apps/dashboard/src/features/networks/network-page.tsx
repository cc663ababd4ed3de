'use client'
import { useQuery } from '@tanstack/react-query'
import { Network, Plug, Trash2, Unplug } from 'lucide-react'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { Gone } from '../../ui/gone'
import { PageBody, PageHead, useTabTitle } from '../../ui/page'
import { Card, Fact, Facts } from '../../ui/section'
import { SkeletonPage } from '../../ui/skeleton'
import { agentClient, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { failureOf } from '../../wire/failure'
import { useHost } from '../../wire/hosts'
import { ConnectContainer, RemoveNetworks } from './network-dialogs'

/** One network: its addresses, and who is in it under which address and name. */
export function NetworkPage({ hostId, id }: { hostId: string; id: string }) {
  const t = useTranslations('networks')
  const router = useRouter()
  const host = useHost(hostId)
  const allow = useAllow(hostId)
  const query = useQuery(useAgent(hostId).networks.inspect.queryOptions({ network: id }))
  const [asking, setAsking] = useState<'connect' | 'remove' | { id: string; name: string } | null>(null)
  useTabTitle(query.data?.name)
  if (query.error && failureOf(query.error).code === 'not_found')
    return <Gone icon={<Network aria-hidden />} words={t('gone')} list={{ href: `/h/${hostId}/networks`, label: t('toList') }} />
  if (query.error) return <ErrorPanel error={query.error} title={t('failed')} onRetry={() => void query.refetch()} className="m-4" />
  if (!query.data) return <SkeletonPage />
  const network = query.data
  const connectReason = allow('create') ?? (network.driver === 'bridge' ? null : t('connect.notBridge'))
  const removeReason =
    allow('create') ??
    (network.predefined
      ? t('remove.predefined')
      : network.endpoints[0]
        ? t('remove.used', { name: network.endpoints[0].containerName })
        : null)
  return (
    <>
      <PageHead
        title={network.name}
        trail={[
          { href: `/h/${hostId}/networks`, label: t('title') },
          { href: `/h/${hostId}`, label: host?.name },
        ]}
        actions={
          <>
            <Button tone="danger-quiet" disabledReason={removeReason} onClick={() => setAsking('remove')}>
              <Trash2 aria-hidden />
              {t('remove.menu')}
            </Button>
            <Button tone="primary" disabledReason={connectReason} onClick={() => setAsking('connect')}>
              <Plug aria-hidden />
              {t('connect.button')}
            </Button>
          </>
        }
      />
      <PageBody className="grid content-start items-start gap-3">
        <Card>
          <Facts className="sm:grid-cols-[auto_minmax(0,1fr)_auto_minmax(0,1fr)]">
            <Fact name={t('column.driver')} mono>
              {network.driver}
            </Fact>
            <Fact name={t('column.bridge')} mono>
              {network.bridge || '–'}
            </Fact>
            {network.pools.map((pool) => (
              <Fact key={pool.subnet} name={t('column.subnet')} mono>
                {pool.subnet}
                {pool.gateway ? ` · ${t('gateway')} ${pool.gateway}` : ''}
                {pool.ipRange ? ` · ${pool.ipRange}` : ''}
              </Fact>
            ))}
            <Fact name={t('reach')}>{network.internal ? t('internal') : t('outside')}</Fact>
            <Fact name="IPv6">{network.ipv6 ? t('yes') : t('no')}</Fact>
            <Fact name="Id" mono>
              {network.id.slice(0, 12)}
            </Fact>
          </Facts>
        </Card>
        <Card title={t('column.members')} aside={network.endpoints.length} bodyClassName="p-0">
          {network.endpoints.length === 0 ? <EmptyState className="py-8">{t('noMembers')}</EmptyState> : null}
          <ul className="divide-y divide-line">
            {network.endpoints.map((endpoint) => (
              <li
                key={endpoint.endpointId}
                className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 gap-y-0.5 px-3.5 py-2 sm:grid-cols-[minmax(0,1.2fr)_minmax(0,1.4fr)_minmax(0,1fr)_auto]"
              >
                <Link
                  href={`/h/${hostId}/containers/${endpoint.containerId}`}
                  className="tap truncate font-medium hover:text-accent hover:underline"
                >
                  {endpoint.containerName}
                </Link>
                <span className="truncate font-mono text-xs max-sm:order-3 max-sm:col-span-2">
                  {[endpoint.ipv4, endpoint.ipv6].filter(Boolean).join(', ') || '–'}
                </span>
                <span className="truncate text-ink-3 text-xs max-sm:order-4 max-sm:col-span-2">{endpoint.aliases.join(', ')}</span>
                <Button
                  className="pointer-coarse:-my-2.5"
                  tone="quiet"
                  size="icon-small"
                  hint={t('disconnect.button', { name: endpoint.containerName })}
                  disabledReason={allow('create')}
                  onClick={() => setAsking({ id: endpoint.containerId, name: endpoint.containerName })}
                >
                  <Unplug aria-hidden />
                </Button>
              </li>
            ))}
          </ul>
        </Card>
      </PageBody>
      {asking === 'connect' ? <ConnectContainer hostId={hostId} network={network} onClose={() => setAsking(null)} /> : null}
      {asking === 'remove' ? (
        <RemoveNetworks
          targets={[{ hostId, network }]}
          onClose={() => setAsking(null)}
          onDone={() => router.push(`/h/${hostId}/networks`)}
        />
      ) : null}
      {asking !== null && typeof asking === 'object' ? (
        <ConfirmDialog
          open
          onOpenChange={() => setAsking(null)}
          title={t('disconnect.title', { name: asking.name, network: network.name })}
          description={t('disconnect.description')}
          verb={t('disconnect.verb')}
          commandLine={() => `docker network disconnect ${network.name} ${asking.name}`}
          onConfirm={() => agentClient(hostId).networks.disconnect.mutate({ network: network.id, container: asking.id, force: false })}
        />
      ) : null}
    </>
  )
}
