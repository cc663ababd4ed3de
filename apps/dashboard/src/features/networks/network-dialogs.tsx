'use client'
import { objectName } from '@berth/contract/id'
import type { NetworkSummary } from '@berth/contract/network'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { Combobox } from '../../ui/combobox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Field } from '../../ui/field'
import { HostField } from '../../ui/host-field'
import { Input } from '../../ui/input'
import { PruneDialog } from '../../ui/prune-dialog'
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
      <HostField hosts={hosts} value={host} onChange={setHost} />
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
      each={targets.map(({ hostId, network }) => ({
        key: `${hostId}/${network.id}`,
        name: network.name,
        run: () => agentClient(hostId).networks.remove.mutate({ network: network.id }),
      }))}
      onConfirm={async () => {
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

/** Removes networks that no container is in; shows first which. */
export function PruneNetworks({ hostId, onClose }: DialogOf) {
  const t = useTranslations('networks')
  return (
    <PruneDialog
      title={t('prune.title')}
      description={t('prune.description')}
      nothing={t('prune.nothing')}
      list={t('prune.list')}
      withSizes={false}
      queryKey={['networks', hostId]}
      prune={(dryRun) => agentClient(hostId).networks.prune.mutate({ dryRun })}
      commandLine="docker network prune -f"
      words={{ verb: (count) => t('prune.verb', { count }), done: (count) => t('remove.done', { count }) }}
      onClose={onClose}
    />
  )
}
