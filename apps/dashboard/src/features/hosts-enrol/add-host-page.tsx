'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import { ChevronRight, CircleCheck, LoaderCircle } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/code-block'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { useFormat } from '../../ui/format'
import { Input } from '../../ui/input'
import { PageBody, PageHead } from '../../ui/page'
import { Card, Fact, Facts, Rows } from '../../ui/section'
import { useAction } from '../../ui/use-action'
import { type DashboardOutputs, dashboardClient, useDashboard } from '../../wire/dashboard'

type Prepared = DashboardOutputs['hosts']['prepareJoin']

/** One command to copy, then "waiting for the host…", then the host. @param again the id of a host that is to join again */
export function AddHostPage({ again }: { again: string | null }) {
  const t = useTranslations('hosts-enrol')
  const dashboard = useDashboard()
  const me = useQuery(dashboard.me.get.queryOptions())
  const hosts = useQuery(dashboard.hosts.list.queryOptions())
  const [name, setName] = useState('')
  const [address, setAddress] = useState('')
  const prepare = useMutation({
    mutationFn: () =>
      dashboardClient().hosts.prepareJoin.mutate({
        ...(name.trim() ? { name: name.trim() } : {}),
        ...(address.trim() ? { address: address.trim() } : {}),
        ...(again ? { host: again } : {}),
      }),
  })
  const old = hosts.data?.find((host) => host.id === again)
  const refused = me.data && !me.data.administrator ? t('administratorsOnly') : null
  return (
    <>
      <PageHead title={old ? t('againTitle', { name: old.name }) : t('title')} lead={t('lead')} />
      <PageBody>
        <div className="grid max-w-3xl gap-4">
          {prepare.data ? (
            <Waiting prepared={prepare.data} />
          ) : (
            <Card title={t('about')}>
              <form
                className="grid gap-4"
                onSubmit={(event) => {
                  event.preventDefault()
                  if (!refused && !prepare.isPending) prepare.mutate()
                }}
              >
                {again ? null : (
                  <Field label={t('name')} optional={t('optional')} help={t('nameHelp')}>
                    <Input value={name} autoFocus onChange={(event) => setName(event.target.value)} />
                  </Field>
                )}
                <Field label={t('address')} optional={t('optional')} help={t('addressHelp')}>
                  <Input mono value={address} placeholder="10.0.0.12" onChange={(event) => setAddress(event.target.value)} />
                </Field>
                {prepare.error ? <ErrorPanel error={prepare.error} compact /> : null}
                <div>
                  <Button type="submit" tone="primary" busy={prepare.isPending} disabledReason={refused}>
                    {t('makeCommand')}
                  </Button>
                </div>
              </form>
            </Card>
          )}
          <OpenJoins except={prepare.data?.join.id ?? null} />
        </div>
      </PageBody>
    </>
  )
}

function Waiting({ prepared }: { prepared: Prepared }) {
  const t = useTranslations('hosts-enrol')
  const format = useFormat()
  const dashboard = useDashboard()
  // Answered anew by the event that says that the hosts have changed.
  const result = useQuery(dashboard.hosts.joinResult.queryOptions({ join: prepared.join.id }))
  const hosts = useQuery(dashboard.hosts.list.queryOptions())
  const host = hosts.data?.find((one) => one.id === result.data?.hostId)
  return (
    <Card title={t('run')} aside={t('until', { date: format.dateTime(prepared.join.expiresAt) })}>
      <div className="grid gap-4">
        <p className="text-ink-2">{prepared.install ? t('installLead') : t('runLead')}</p>
        <CodeBlock code={prepared.install ?? prepared.command} wrap label={t('command')} />
        {prepared.install ? (
          <details className="group/installed">
            <summary className="flex w-fit items-center gap-1.5 rounded-sm text-ink-2 hover:text-ink">
              <ChevronRight className="size-3.5 transition-transform group-open/installed:rotate-90" aria-hidden />
              {t('installed')}
            </summary>
            <CodeBlock code={prepared.command} wrap label={t('installed')} className="mt-1.5" />
          </details>
        ) : null}
        <Notice>{t('once')}</Notice>
        <Facts>
          <Fact name={t('fingerprint')} mono>
            {prepared.fingerprint}
          </Fact>
        </Facts>
        <div role="status" aria-live="polite" className="flex flex-wrap items-center gap-2 border-t pt-3">
          {host ? (
            <>
              <CircleCheck className="size-4 text-good" aria-hidden />
              <span>{host.state === 'online' ? t('online', { name: host.name }) : t('joined', { name: host.name })}</span>
              <Button asChild tone="primary" size="small" className="ml-auto">
                <Link href={`/h/${host.id}`}>{t('open')}</Link>
              </Button>
            </>
          ) : result.data?.state === 'expired' ? (
            <span className="text-warn">{t('expired')}</span>
          ) : (
            <>
              <LoaderCircle className="turning size-4 text-accent" aria-hidden />
              <span>{t('waiting')}</span>
            </>
          )}
        </div>
      </div>
    </Card>
  )
}

function OpenJoins({ except }: { except: string | null }) {
  const t = useTranslations('hosts-enrol')
  const format = useFormat()
  const joins = useQuery(useDashboard().hosts.joins.queryOptions())
  const cancel = useAction((join: string) => dashboardClient().hosts.cancelJoin.mutate({ join }), {
    done: () => t('withdrawn'),
    failed: () => t('notWithdrawn'),
    after: () => void joins.refetch(),
  })
  const open = (joins.data ?? []).filter((join) => join.id !== except)
  if (open.length === 0) return null
  return (
    <Card title={t('openTokens')} bodyClassName="p-0">
      <Rows>
        {open.map((join) => (
          <li key={join.id} className="flex flex-wrap items-center justify-between gap-3 px-3.5 py-2">
            <div>
              <p>
                {join.name ?? t('unnamed')} {join.hostId ? <Badge>{t('again')}</Badge> : null}
              </p>
              <p className="text-ink-3 text-xs">{t('madeBy', { name: join.createdBy, date: format.dateTime(join.expiresAt) })}</p>
            </div>
            <Button size="small" tone="danger-quiet" onClick={() => cancel.run(join.id)}>
              {t('withdraw')}
            </Button>
          </li>
        ))}
      </Rows>
    </Card>
  )
}
