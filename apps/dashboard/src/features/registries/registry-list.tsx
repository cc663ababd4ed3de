'use client'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Database, KeyRound, Plus, Trash2, Wifi } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { HostField } from '../../ui/host-field'
import { Input } from '../../ui/input'
import { Ago } from '../../ui/now'
import { PageBody, PageHead } from '../../ui/page'
import { PasswordInput } from '../../ui/password-input'
import { Card } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { SkeletonRows } from '../../ui/skeleton'
import { sayDone, sayFailed } from '../../ui/toaster'
import { useAction } from '../../ui/use-action'
import { everyHost } from '../../wire/across'
import { agentClient, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { type HostView, useHosts } from '../../wire/hosts'
import { Catalog } from './catalog'

/** Registries that a host knows: its credentials (never shown again), a test, what they hold. */
export function RegistryList({ scope }: { scope: string }) {
  const t = useTranslations('registries')
  const { hosts } = useHosts()
  const shown = hosts.filter((host) => scope === everyHost || host.id === scope)
  const [login, setLogin] = useState<{ hostId: string; server: string } | null>(null)
  const first = shown.find((host) => host.state === 'online') ?? shown[0]
  const allow = useAllow(first?.id ?? '')
  return (
    <>
      <PageHead
        title={t('title')}
        lead={t('lead')}
        actions={
          <Button tone="primary" disabledReason={allow('configure')} onClick={() => first && setLogin({ hostId: first.id, server: '' })}>
            <Plus aria-hidden />
            {t('login.button')}
          </Button>
        }
      />
      <PageBody className="grid content-start gap-3">
        {shown.map((host) => (
          <HostRegistries key={host.id} host={host} onLogin={(server) => setLogin({ hostId: host.id, server })} />
        ))}
      </PageBody>
      {login ? <Login hostId={login.hostId} server={login.server} onClose={() => setLogin(null)} /> : null}
    </>
  )
}

function HostRegistries({ host, onLogin }: { host: HostView; onLogin: (server: string) => void }) {
  const t = useTranslations('registries')
  const hostId = host.id
  const online = host.state === 'online'
  const allow = useAllow(hostId)
  const list = useQuery(useAgent(hostId).registries.list.queryOptions(undefined, { enabled: online }))
  const [looking, setLooking] = useState<string | null>(null)
  const [other, setOther] = useState('')
  return (
    <Card title={host.name} aside={list.data?.length} bodyClassName="p-0">
      {online || list.data ? null : <p className="px-3.5 py-3 text-ink-3">{t('away')}</p>}
      {list.error ? <ErrorPanel error={list.error} compact onRetry={() => void list.refetch()} className="m-3" /> : null}
      {list.isPending && online ? <SkeletonRows rows={2} /> : null}
      {list.data?.length === 0 ? (
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-3 text-ink-2">
          <Database className="size-4 text-ink-off" aria-hidden />
          {t('empty')}
          <Button tone="quiet" size="small" disabledReason={allow('configure')} onClick={() => onLogin('')}>
            <Plus aria-hidden />
            {t('login.button')}
          </Button>
        </p>
      ) : null}
      <ul className="divide-y divide-line">
        {list.data?.map((registry) => (
          <Entry
            key={registry.server}
            hostId={hostId}
            registry={registry}
            onLogin={() => onLogin(registry.server)}
            onLook={() => setLooking(registry.server)}
          />
        ))}
      </ul>
      {online ? (
        <form
          className="flex flex-wrap items-end gap-2 rounded-b-lg border-t bg-canvas px-3.5 py-3"
          onSubmit={(event) => {
            event.preventDefault()
            if (other.trim()) setLooking(other.trim())
          }}
        >
          <Field label={t('look.other')} className="min-w-0 grow basis-48 sm:max-w-80">
            <Input mono value={other} placeholder="localhost:5000" onChange={(event) => setOther(event.target.value)} />
          </Field>
          <Button type="submit" disabled={!other.trim()}>
            {t('look.button')}
          </Button>
        </form>
      ) : null}
      {looking ? <Catalog hostId={hostId} server={looking} onClose={() => setLooking(null)} /> : null}
    </Card>
  )
}

interface Registry {
  server: string
  username: string
  insecure: boolean
  mirrors: string[]
  storedAt: string | null
}

function Entry({ hostId, registry, onLogin, onLook }: { hostId: string; registry: Registry; onLogin: () => void; onLook: () => void }) {
  const t = useTranslations('registries')
  const allow = useAllow(hostId)
  const refresh = useRefresh(hostId)
  const [leaving, setLeaving] = useState(false)
  const [said, setSaid] = useState<{ ok: boolean; message: string } | null>(null)
  const test = useAction((_: undefined) => agentClient(hostId).registries.test.mutate({ server: registry.server }), {
    failed: () => t('test.failed', { server: registry.server }),
    after: (result) => setSaid(result),
  })
  return (
    <li className="grid gap-2 px-3.5 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2">
            <button type="button" onClick={onLook} className="truncate font-medium font-mono text-sm hover:text-accent hover:underline">
              {registry.server}
            </button>
            {registry.insecure ? <Badge tone="warn">{t('insecure')}</Badge> : null}
          </p>
          <p className="text-ink-3 text-xs">
            {registry.username ? t('as', { username: registry.username }) : t('anonymous')}
            {registry.storedAt ? (
              <>
                {' '}
                · <Ago at={registry.storedAt} />
              </>
            ) : null}
            {registry.mirrors.length > 0 ? ` · ${t('mirrors', { list: registry.mirrors.join(', ') })}` : ''}
          </p>
        </div>
        <div className="flex items-center gap-1">
          <Button size="small" busy={test.busy} disabledReason={allow('configure')} onClick={() => test.run(undefined)}>
            <Wifi aria-hidden />
            {t('test.button')}
          </Button>
          <Button size="small" disabledReason={allow('configure')} onClick={onLogin}>
            <KeyRound aria-hidden />
            {t('login.change')}
          </Button>
          <Button
            size="icon-small"
            tone="danger-quiet"
            hint={t('logout.button', { server: registry.server })}
            disabledReason={allow('configure') ?? (registry.username ? null : t('logout.none'))}
            onClick={() => setLeaving(true)}
          >
            <Trash2 aria-hidden />
          </Button>
        </div>
      </div>
      {said ? (
        <Notice tone={said.ok ? 'good' : 'warn'}>
          {said.ok ? t('test.answers', { server: registry.server }) : <Sentence>{said.message}</Sentence>}
        </Notice>
      ) : null}
      {leaving ? (
        <ConfirmDialog
          open
          onOpenChange={() => setLeaving(false)}
          title={t('logout.title', { server: registry.server })}
          description={t('logout.description')}
          verb={t('logout.verb')}
          commandLine={() => `docker logout ${registry.server}`}
          onConfirm={async () => {
            await agentClient(hostId).registries.logout.mutate({ server: registry.server })
            sayDone(t('logout.done', { server: registry.server }))
            await refresh()
          }}
        />
      ) : null}
    </li>
  )
}

/** Reads a host's list again after its credentials have changed: that is no event of the engine. */
function useRefresh(hostId: string): () => Promise<void> {
  const queryClient = useQueryClient()
  const agent = useAgent(hostId)
  return () => queryClient.invalidateQueries(agent.registries.list.queryFilter())
}

/** Credentials are checked with the registry before they are kept; afterwards nobody sees them again. */
function Login({ hostId, server, onClose }: { hostId: string; server: string; onClose: () => void }) {
  const t = useTranslations('registries')
  const { hosts } = useHosts()
  const [host, setHost] = useState(hostId)
  const [address, setAddress] = useState(server)
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const refresh = useRefresh(host)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('login.title')}
      description={t('login.description')}
      verb={t('login.verb')}
      tone="primary"
      commandLine={() => `docker login ${address || 'SERVER'} -u ${username || 'USER'}`}
      onConfirm={async () => {
        try {
          const { status } = await agentClient(host).registries.login.mutate({ server: address.trim(), username, password })
          sayDone(status || t('login.done'))
          await refresh()
        } catch (error) {
          setPassword('')
          sayFailed(t('login.failed'), error)
          throw error
        }
      }}
    >
      <HostField hosts={hosts} value={host} onChange={setHost} />
      <Field label={t('server')} required help={t('serverHelp')}>
        <Input mono value={address} placeholder="ghcr.io" onChange={(event) => setAddress(event.target.value)} />
      </Field>
      <Field label={t('username')} required>
        <Input value={username} autoComplete="off" onChange={(event) => setUsername(event.target.value)} />
      </Field>
      <Field label={t('password')} required help={t('passwordHelp')}>
        <PasswordInput value={password} autoComplete="new-password" onChange={(event) => setPassword(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}
