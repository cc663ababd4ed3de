'use client'
import { useQuery } from '@tanstack/react-query'
import { Plus, Unplug } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { Combobox } from '../../ui/combobox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Card, Fact, Facts, Rows } from '../../ui/section'
import { agentClient, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import type { TabInput } from './container-tab'

/** What is mounted where, and the networks it is in, which can be joined and left while it runs. */
export function MountsTab(input: TabInput) {
  const t = useTranslations('containers')
  const { hostId, detail } = input
  return (
    <div className="grid items-start gap-3 xl:grid-cols-2">
      <Card title={t('mounts.title')} bodyClassName="p-0">
        {detail.mounts.length === 0 ? <p className="p-3.5 text-ink-3">{t('mounts.none')}</p> : null}
        <Rows>
          {[...detail.mounts]
            .sort((a, b) => a.destination.localeCompare(b.destination, 'en', { numeric: true }))
            .map((mount) => (
              <li key={mount.destination} className="grid gap-0.5 px-3.5 py-2.5">
                <p className="flex flex-wrap items-center gap-2">
                  <span className="break-all font-mono text-xs">{mount.destination}</span>
                  <Badge>{t(`mounts.type.${mount.type}`)}</Badge>
                  {mount.readOnly ? <Badge tone="brass">{t('create.readOnly')}</Badge> : null}
                </p>
                <p className="break-all font-mono text-ink-3 text-xs">
                  {mount.type === 'volume' ? (
                    <Link href={`/h/${hostId}/volumes/${encodeURIComponent(mount.name)}`} className="text-accent hover:underline">
                      {mount.name}
                    </Link>
                  ) : (
                    mount.source
                  )}
                  {mount.propagation ? ` · ${mount.propagation}` : ''}
                </p>
              </li>
            ))}
        </Rows>
      </Card>
      <Networks {...input} />
    </div>
  )
}

function Networks({ hostId, detail }: TabInput) {
  const t = useTranslations('containers')
  const allow = useAllow(hostId)
  const [joining, setJoining] = useState(false)
  const [leaving, setLeaving] = useState<{ id: string; name: string } | null>(null)
  return (
    <Card
      title={t('networks.title')}
      bodyClassName="p-0"
      aside={
        <Button size="small" disabledReason={allow('create')} onClick={() => setJoining(true)}>
          <Plus aria-hidden />
          {t('networks.connect')}
        </Button>
      }
    >
      {detail.networks.length === 0 ? (
        <p className="p-3.5 text-ink-3">{t('networks.none', { mode: detail.options.networkMode || 'bridge' })}</p>
      ) : null}
      <Rows>
        {detail.networks.map((network) => (
          <li key={network.networkId} className="flex items-start justify-between gap-3 px-3.5 py-2.5">
            <div className="min-w-0">
              <Link href={`/h/${hostId}/networks/${network.networkId}`} className="font-medium hover:text-accent hover:underline">
                {network.networkName}
              </Link>
              <Facts className="mt-1">
                <Fact name={t('networks.address')} mono>
                  {network.ipv4 ? `${network.ipv4}/${network.ipv4PrefixLength}` : '–'}
                  {network.ipv6 ? `, ${network.ipv6}/${network.ipv6PrefixLength}` : ''}
                </Fact>
                <Fact name={t('networks.gateway')} mono>
                  {network.gateway || '–'}
                </Fact>
                <Fact name="MAC" mono>
                  {network.mac || '–'}
                </Fact>
                {network.aliases.length > 0 ? (
                  <Fact name={t('networks.names')} mono>
                    {network.aliases.join(', ')}
                  </Fact>
                ) : null}
              </Facts>
            </div>
            <Button
              className="pointer-coarse:-my-3"
              tone="quiet"
              size="icon-small"
              hint={t('networks.disconnect', { name: network.networkName })}
              disabledReason={allow('create')}
              onClick={() => setLeaving({ id: network.networkId, name: network.networkName })}
            >
              <Unplug aria-hidden />
            </Button>
          </li>
        ))}
      </Rows>
      {joining ? (
        <Connect
          hostId={hostId}
          container={detail.id}
          name={detail.name}
          taken={detail.networks.map((network) => network.networkName)}
          onClose={() => setJoining(false)}
        />
      ) : null}
      {leaving ? (
        <ConfirmDialog
          open
          onOpenChange={() => setLeaving(null)}
          title={t('networks.leaveTitle', { name: detail.name, network: leaving.name })}
          description={t('networks.leaveHelp')}
          verb={t('networks.leave')}
          commandLine={() => `docker network disconnect ${leaving.name} ${detail.name}`}
          onConfirm={() => agentClient(hostId).networks.disconnect.mutate({ network: leaving.id, container: detail.id, force: false })}
        />
      ) : null}
    </Card>
  )
}

function Connect({
  hostId,
  container,
  name,
  taken,
  onClose,
}: {
  hostId: string
  container: string
  name: string
  taken: string[]
  onClose: () => void
}) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const networks = useQuery(useAgent(hostId).networks.list.queryOptions({}))
  const [network, setNetwork] = useState('')
  const [aliases, setAliases] = useState('')
  const [ipv4, setIpv4] = useState('')
  const names = aliases.split(/[\s,]+/).filter(Boolean)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('networks.joinTitle', { name })}
      description={t('networks.joinHelp')}
      verb={t('networks.connect')}
      tone="primary"
      commandLine={() =>
        `docker network connect ${names.map((alias) => `--alias ${alias} `).join('')}${ipv4 ? `--ip ${ipv4} ` : ''}${network || 'NETWORK'} ${name}`
      }
      onConfirm={() =>
        agentClient(hostId).networks.connect.mutate({
          network,
          container,
          config: { aliases: names, links: [], ...(ipv4 ? { ipv4 } : {}) },
        })
      }
    >
      <Field label={t('create.network')} required>
        <Combobox
          value={network}
          onChange={setNetwork}
          items={(networks.data ?? [])
            .filter((one) => one.driver === 'bridge' && !taken.includes(one.name))
            .map((one) => ({ value: one.name, detail: one.pools[0]?.subnet }))}
          label={t('create.network')}
          placeholder={t('networks.choose')}
          emptyWords={tu('nothingFound')}
        />
      </Field>
      <Field label={t('networks.names')} optional={tu('optional')} help={t('networks.namesHelp')}>
        <Input mono value={aliases} placeholder="db database" onChange={(event) => setAliases(event.target.value)} />
      </Field>
      <Field label={t('flag.ip')} optional={tu('optional')}>
        <Input mono value={ipv4} onChange={(event) => setIpv4(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}
