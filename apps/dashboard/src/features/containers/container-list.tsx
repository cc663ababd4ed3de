'use client'
import type { ContainerSummary } from '@berth/contract/container'
import { Box, Pause, Play, Plus, RotateCw, ScrollText, Square, Trash2 } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { useBulkFailures } from '../../ui/bulk-bar'
import { Button } from '../../ui/button'
import { ListPage } from '../../ui/list-page'
import { RowLink } from '../../ui/row-link'
import { type Placed, useAcross } from '../../wire/across'
import { useAllow } from '../../wire/allow'
import { useScope } from '../../wire/hosts'
import { containerColumns, targetOf } from './container-columns'
import { fits, perform, type Target, useBulkCommand, useLogsTogether, type Verb } from './container-commands'
import { ContainerMenu } from './container-menu'
import { ContainerState } from './container-state'
import { Ports } from './ports'
import { CpuCell, MemoryCell } from './usage-cells'

const RemoveContainers = dynamic(() => import('./remove-dialog').then((module) => module.RemoveContainers), { ssr: false })

type Row = Placed<ContainerSummary>

/** Compose's and Swarm's way to say what belongs together. */
const projectLabel = 'com.docker.compose.project'

/** Every container of one host or of all. */
export function ContainerList({ scope }: { scope: string }) {
  const t = useTranslations('containers')
  const router = useRouter()
  const { several, target } = useScope(scope)
  const allow = useAllow(scope)
  const columns = useMemo(() => containerColumns(t), [t])
  const facets = useMemo(
    () => [
      {
        key: 'status',
        label: t('facet.status'),
        values: (row: Row) => [row.item.state.status],
        name: (value: string) => t(`status.${value as 'running'}`),
      },
      { key: 'image', label: t('facet.image'), values: (row: Row) => [row.item.image] },
      { key: 'network', label: t('facet.network'), values: (row: Row) => row.item.networks.map((network) => network.name) },
      {
        key: 'project',
        label: t('facet.project'),
        values: (row: Row) => (row.item.labels[projectLabel] ? [row.item.labels[projectLabel]] : []),
      },
    ],
    [t],
  )
  const create = (
    <Button tone="primary" disabledReason={allow('create', target)} onClick={() => router.push(`/h/${target}/containers/new`)}>
      <Plus aria-hidden />
      {t('run')}
    </Button>
  )
  return (
    <ListPage
      id="containers"
      title={t('title')}
      actions={create}
      list={useAcross(scope, 'containers')}
      several={several}
      columns={columns}
      itemId={containerId}
      itemName={containerName}
      words={words}
      searchLabel={t('search')}
      facets={facets}
      initialSort={byName}
      bulk={(rows, clear) => <BulkActions rows={rows} clear={clear} />}
      card={(row) => containerCard(row, t)}
      empty={{
        icon: <Box aria-hidden />,
        words: t('empty'),
        action: create,
        link: target ? (
          <Link className="text-accent underline-offset-2 hover:underline" href={`/h/${scope}/images`}>
            {t('emptyLink')}
          </Link>
        ) : null,
      }}
    />
  )
}

const byName = [{ id: 'name', desc: false }]
const containerId = (item: ContainerSummary) => item.id
const containerName = (item: ContainerSummary) => item.name

function words(item: ContainerSummary): string[] {
  return [
    item.name,
    item.image,
    item.id.slice(0, 12),
    item.state.status,
    ...item.networks.flatMap((network) => [network.name, network.ipv4]),
    ...Object.entries(item.labels).map(([key, value]) => `${key}=${value}`),
    ...item.ports.map((port) => `${port.hostPort ?? ''}:${port.containerPort}`),
  ]
}

function BulkActions({ rows, clear }: { rows: Row[]; clear: () => void }) {
  const t = useTranslations('containers')
  const allow = useAllow('')
  const bulk = useBulkCommand()
  const openTogether = useLogsTogether()
  const [removing, setRemoving] = useState(false)
  const [progress, setProgress] = useState<{ verb: Verb; done: number; of: number } | null>(null)
  const targets = rows.map(targetOf)
  const reasonFor = (permission: 'operate' | 'create', some: readonly Target[]) =>
    some.map((target) => allow(permission, target.hostId)).find(Boolean) ?? null
  const tellList = useBulkFailures()
  const run = async (verb: Verb, some: readonly Target[]) => {
    tellList?.([])
    setProgress({ verb, done: 0, of: some.length })
    const failures = await bulk(
      some,
      t(`verb.${verb}`),
      (target) => perform(verb, target),
      (done) => setProgress({ verb, done, of: some.length }),
    )
    setProgress(null)
    tellList?.(failures)
  }
  const action = (verb: Verb, icon: React.ReactNode) => {
    const some = targets.filter((target) => fits(verb, target.status))
    return (
      <Button
        key={verb}
        size="small"
        busy={progress?.verb === verb}
        disabledReason={some.length === 0 ? t('bulk.none', { action: t(`verb.${verb}`) }) : reasonFor('operate', some)}
        onClick={() => void run(verb, some)}
      >
        {icon}
        {t(`verb.${verb}`)}
        {progress?.verb === verb ? <span className="tabular"> {`${progress.done}/${progress.of}`}</span> : null}
      </Button>
    )
  }
  return (
    <>
      {action('start', <Play aria-hidden />)}
      {action('stop', <Square className="!size-3 fill-current" aria-hidden />)}
      {action('restart', <RotateCw aria-hidden />)}
      {action('pause', <Pause aria-hidden />)}
      <Button size="small" onClick={() => openTogether(targets)}>
        <ScrollText aria-hidden />
        {t('bulk.logs')}
      </Button>
      <Button size="small" tone="danger-quiet" disabledReason={reasonFor('create', targets)} onClick={() => setRemoving(true)}>
        <Trash2 aria-hidden />
        {t('remove.menu')}
      </Button>
      {removing ? <RemoveContainers targets={targets} onClose={() => setRemoving(false)} onDone={clear} /> : null}
    </>
  )
}

/** A row on a phone. */
function containerCard(row: Row, t: ReturnType<typeof useTranslations<'containers'>>) {
  const { item, hostId } = row
  const running = item.state.status === 'running'
  return {
    head: (
      <>
        <RowLink data-row-link href={`/h/${hostId}/containers/${item.id}`} className="block truncate font-medium text-base">
          {item.name}
        </RowLink>
        <p className="truncate font-mono text-ink-3 text-xs">{item.image}</p>
      </>
    ),
    facts: (
      <>
        <ContainerState state={item.state} />
        <Ports ports={item.ports} />
      </>
    ),
    actions: <ContainerMenu target={targetOf(row)} />,
    more: running ? (
      <div className="grid grid-cols-[4.5rem_1fr] items-center gap-4 text-xs">
        <span className="grid grid-cols-[auto_1fr] items-center gap-1.5">
          <span className="text-ink-3">{t('column.cpu')}</span>
          <CpuCell hostId={hostId} id={item.id} running />
        </span>
        <MemoryCell hostId={hostId} id={item.id} running />
      </div>
    ) : null,
  }
}
