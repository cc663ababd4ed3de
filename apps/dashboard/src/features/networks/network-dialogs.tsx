'use client'
import { objectName } from '@berth/contract/id'
import type { NetworkSummary } from '@berth/contract/network'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { Combobox } from '../../ui/combobox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Select } from '../../ui/select'
import { SkeletonRows } from '../../ui/skeleton'
import { sayDone } from '../../ui/toaster'
import { useAcross } from '../../wire/across'
import { agentClient } from '../../wire/agent'
import { useHosts } from '../../wire/hosts'

interface DialogOf {
  hostId: string
  onClose: () => void
}

export function CreateNetwork({ hostId, onClose }: DialogOf) {
  const t = useTranslations('networks')
  const tu = useTranslations('ui')
  const { hosts } = useHosts()
  const [host, setHost] = useState(hostId)
  const [name, setName] = useState('')
  const [subnet, setSubnet] = useState('')
  const [gateway, setGateway] = useState('')
  const [range, setRange] = useState('')
  const [flags, setFlags] = useState({ internal: false, ipv6: false })
  const wrong = name && !objectName.safeParse(name).success ? t('nameRule') : null
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('create.title')}
      description={t('create.description')}
      verb={t('create.button')}
      tone="primary"
      commandLine={() =>
        [
          'docker network create',
          flags.internal ? '--internal' : '',
          flags.ipv6 ? '--ipv6' : '',
          subnet ? `--subnet ${subnet}` : '',
          gateway ? `--gateway ${gateway}` : '',
          range ? `--ip-range ${range}` : '',
          name || 'NAME',
        ]
          .filter(Boolean)
          .join(' ')
      }
      onConfirm={async () => {
        const pools = subnet ? [{ subnet, ...(gateway ? { gateway } : {}), ...(range ? { ipRange: range } : {}) }] : []
        await agentClient(host).networks.create.mutate({ name, pools, ...flags })
        sayDone(t('create.done', { name }))
      }}
    >
      {hosts.length > 1 ? (
        <Field label={t('column.host')}>
          <Select
            value={host}
            onChange={setHost}
            choices={hosts.map((one) => ({ value: one.id, label: one.name, disabled: one.state !== 'online' }))}
          />
        </Field>
      ) : null}
      <Field label={t('column.name')} required error={wrong}>
        <Input mono value={name} placeholder="backend" onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label={t('column.subnet')} optional={tu('optional')} help={t('create.subnetHelp')}>
        <Input mono value={subnet} placeholder="172.30.0.0/16" onChange={(event) => setSubnet(event.target.value)} />
      </Field>
      {subnet ? (
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label={t('gateway')} optional={tu('optional')}>
            <Input mono value={gateway} placeholder="172.30.0.1" onChange={(event) => setGateway(event.target.value)} />
          </Field>
          <Field label={t('range')} optional={tu('optional')}>
            <Input mono value={range} placeholder="172.30.5.0/24" onChange={(event) => setRange(event.target.value)} />
          </Field>
        </div>
      ) : null}
      <Checkbox checked={flags.internal} onChange={(internal) => setFlags({ ...flags, internal })} help={t('create.internalHelp')}>
        {t('create.internal')}
      </Checkbox>
      <Checkbox checked={flags.ipv6} onChange={(ipv6) => setFlags({ ...flags, ipv6 })}>
        IPv6
      </Checkbox>
    </ConfirmDialog>
  )
}

export function RemoveNetworks({
  targets,
  onClose,
  onDone,
}: {
  targets: readonly { hostId: string; network: NetworkSummary }[]
  onClose: () => void
  onDone?: () => void
}) {
  const t = useTranslations('networks')
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={
        targets.length === 1
          ? t('remove.titleOne', { name: targets[0]?.network.name ?? '' })
          : t('remove.titleMany', { count: targets.length })
      }
      description={t('remove.description')}
      verb={t('remove.verb')}
      commandLine={() => `docker network rm ${targets.map((target) => target.network.name).join(' ')}`}
      onConfirm={async () => {
        for (const { hostId, network } of targets) await agentClient(hostId).networks.remove.mutate({ network: network.id })
        sayDone(t('remove.done', { count: targets.length }))
        onDone?.()
      }}
    />
  )
}

export function ConnectContainer({ hostId, network, onClose }: DialogOf & { network: NetworkSummary }) {
  const t = useTranslations('networks')
  const tu = useTranslations('ui')
  const { rows } = useAcross(hostId, 'containers')
  const [container, setContainer] = useState('')
  const [aliases, setAliases] = useState('')
  const [ipv4, setIpv4] = useState('')
  const taken = new Set(network.endpoints.map((endpoint) => endpoint.containerId))
  const names = aliases.split(/[\s,]+/).filter(Boolean)
  const name = rows.find((row) => row.item.id === container)?.item.name ?? 'CONTAINER'
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('connect.title', { name: network.name })}
      description={t('connect.description')}
      verb={t('connect.verb')}
      tone="primary"
      commandLine={() =>
        `docker network connect ${names.map((alias) => `--alias ${alias} `).join('')}${ipv4 ? `--ip ${ipv4} ` : ''}${network.name} ${name}`
      }
      onConfirm={() =>
        agentClient(hostId).networks.connect.mutate({
          network: network.id,
          container,
          config: { aliases: names, links: [], ...(ipv4 ? { ipv4 } : {}) },
        })
      }
    >
      <Field label={t('connect.container')} required>
        <Combobox
          value={container}
          onChange={setContainer}
          items={rows
            .filter((row) => !taken.has(row.item.id))
            .map((row) => ({ value: row.item.id, label: row.item.name, detail: row.item.image }))}
          label={t('connect.container')}
          emptyWords={tu('nothingFound')}
        />
      </Field>
      <Field label={t('names')} optional={tu('optional')} help={t('connect.namesHelp')}>
        <Input mono value={aliases} placeholder="db database" onChange={(event) => setAliases(event.target.value)} />
      </Field>
      <Field label={t('address')} optional={tu('optional')}>
        <Input mono value={ipv4} onChange={(event) => setIpv4(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

export function PruneNetworks({ hostId, onClose }: DialogOf) {
  const t = useTranslations('networks')
  const dry = useQuery({
    queryKey: ['prune-networks', hostId],
    queryFn: () => agentClient(hostId).networks.prune.mutate({ dryRun: true }),
    gcTime: 0,
    staleTime: 0,
  })
  const list = dry.data?.removed ?? []
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('prune.title')}
      description={t('prune.description')}
      verb={t('prune.verb', { count: list.length })}
      commandLine={() => 'docker network prune -f'}
      onConfirm={async () => {
        const result = await agentClient(hostId).networks.prune.mutate({})
        sayDone(t('remove.done', { count: result.removed.length }))
      }}
    >
      {dry.error ? <ErrorPanel error={dry.error} compact onRetry={() => void dry.refetch()} /> : null}
      {dry.isPending ? <SkeletonRows rows={3} /> : null}
      {dry.data && list.length === 0 ? <p className="text-ink-2">{t('prune.nothing')}</p> : null}
      {list.length > 0 ? (
        <ul className="max-h-60 overflow-y-auto rounded-md border bg-sunken px-3 py-2 font-mono text-xs">
          {list.map((network) => (
            <li key={network.id}>{network.name}</li>
          ))}
        </ul>
      ) : null}
    </ConfirmDialog>
  )
}
