'use client'
import { useQuery } from '@tanstack/react-query'
import { Box, Ellipsis, Play, RotateCw, ScrollText, Square, SquareTerminal } from 'lucide-react'
import Link from 'next/link'
import { useRouter, useSearchParams } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Button } from '../../ui/button'
import { CopyButton } from '../../ui/code-block'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Gone } from '../../ui/gone'
import { Ago } from '../../ui/now'
import { Crumbs, useTabTitle } from '../../ui/page'
import { SkeletonPage } from '../../ui/skeleton'
import { Tabs } from '../../ui/tabs'
import { useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { failureOf } from '../../wire/failure'
import { useHost } from '../../wire/hosts'
import { ChangesTab } from './changes-tab'
import { fits, type Target, useContainerCommand, useOpenInDock, type Verb } from './container-commands'
import { ContainerMenu } from './container-menu'
import { ContainerState } from './container-state'
import type { TabInput } from './container-tab'
import { InspectTab } from './inspect-tab'
import { MountsTab } from './mounts-tab'
import { OverviewTab } from './overview-tab'
import { StateVoice } from './state-voice'
import { StatsTab } from './stats-tab'

/** Tabs that other features draw. */
export interface ForeignTabs {
  logs: (input: TabInput) => ReactNode
  terminal: (input: TabInput) => ReactNode
  files: (input: TabInput) => ReactNode
}

const tabNames = ['overview', 'logs', 'terminal', 'stats', 'files', 'mounts', 'changes', 'inspect'] as const

/** One container: what it is, what can be done with it, and a tab for each way to look at it. The tab stands in the address. */
export function ContainerPage({ hostId, id, foreign }: { hostId: string; id: string; foreign: ForeignTabs }) {
  const t = useTranslations('containers')
  const router = useRouter()
  const search = useSearchParams()
  const host = useHost(hostId)
  const query = useQuery(useAgent(hostId).containers.inspect.queryOptions({ container: id, size: true }))
  const detail = query.data
  const tab = tabNames.find((name) => name === search.get('tab')) ?? 'overview'
  useTabTitle(detail?.name)
  if (!detail) {
    if (!query.error) return <SkeletonPage />
    if (failureOf(query.error).code === 'not_found')
      return (
        <Gone icon={<Box aria-hidden />} words={t('detail.gone')} list={{ href: `/h/${hostId}/containers`, label: t('detail.toList') }} />
      )
    return <ErrorPanel error={query.error} title={t('detail.failed')} onRetry={() => void query.refetch()} className="m-4" />
  }
  const hostName = host?.name ?? ''
  const running = detail.state.status === 'running'
  const input: TabInput = { hostId, hostName, detail, running }
  const away = host !== null && host.state !== 'online'
  return (
    <>
      <Head input={input} stale={away} onRemoved={() => router.push(`/h/${hostId}/containers`)} />
      {query.error && failureOf(query.error).code === 'not_found' ? (
        <Notice
          tone="warn"
          className="mx-3 mb-2 sm:mx-4"
          action={
            <Button asChild size="small">
              <Link href={`/h/${hostId}/containers`}>{t('detail.toList')}</Link>
            </Button>
          }
        >
          {t('detail.removed')}
        </Notice>
      ) : null}
      {away ? (
        <Notice tone="warn" className="mx-3 mb-2 sm:mx-4">
          {t('detail.away', { host: hostName })} <Ago at={host.lastSeenAt} />
        </Notice>
      ) : null}
      <Tabs
        value={tab}
        onChange={(next) => router.replace(`/h/${hostId}/containers/${id}?tab=${next}`, { scroll: false })}
        label={detail.name}
        className="flex-1"
        contentClassName="flex flex-col overflow-hidden data-[state=inactive]:hidden"
        tabs={[
          {
            value: 'overview',
            label: t('tab.overview'),
            content: (
              <Scroll>
                <OverviewTab {...input} />
              </Scroll>
            ),
          },
          { value: 'logs', label: t('tab.logs'), content: foreign.logs(input) },
          { value: 'terminal', label: t('tab.terminal'), content: <Scroll>{foreign.terminal(input)}</Scroll> },
          {
            value: 'stats',
            label: t('tab.stats'),
            content: (
              <Scroll>
                <StatsTab {...input} />
              </Scroll>
            ),
          },
          { value: 'files', label: t('tab.files'), content: foreign.files(input) },
          {
            value: 'mounts',
            label: t('tab.mounts'),
            content: (
              <Scroll>
                <MountsTab {...input} />
              </Scroll>
            ),
          },
          { value: 'changes', label: t('tab.changes'), content: <ChangesTab {...input} /> },
          { value: 'inspect', label: t('tab.inspect'), content: <InspectTab {...input} /> },
        ]}
      />
    </>
  )
}

function Scroll({ children }: { children: ReactNode }) {
  return <div className="min-h-0 flex-1 overflow-auto p-3 pb-8 sm:p-4">{children}</div>
}

function Head({ input, stale, onRemoved }: { input: TabInput; stale: boolean; onRemoved: () => void }) {
  const t = useTranslations('containers')
  const { hostId, hostName, detail, running } = input
  const allow = useAllow(hostId)
  const command = useContainerCommand()
  const open = useOpenInDock()
  const target: Target = { hostId, hostName, id: detail.id, name: detail.name, status: detail.state.status }
  const button = (verb: Verb, icon: ReactNode, tone: 'primary' | 'plain' = 'plain') =>
    fits(verb, target.status) ? (
      <Button
        key={verb}
        tone={tone}
        disabledReason={allow('operate')}
        busy={command.current?.verb === verb}
        disabled={command.busy}
        onClick={() => command.run({ verb, target })}
      >
        {icon}
        {t(`verb.${verb}`)}
      </Button>
    ) : null
  return (
    <header
      className={`flex shrink-0 flex-wrap items-center justify-between gap-x-4 gap-y-2 px-3 pt-3 pb-2 sm:px-4 ${stale ? 'text-ink-off' : ''}`}
    >
      <div className="min-w-0 grow basis-26 sm:basis-80">
        <Crumbs
          trail={[
            { href: `/h/${hostId}/containers`, label: t('title') },
            { href: `/h/${hostId}`, label: hostName },
          ]}
        />
        <h1 className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-0.5">
          <span className="truncate font-semibold text-xl tracking-tight">{detail.name}</span>
          <ContainerState
            state={{ ...detail.state, health: detail.state.health.status }}
            className="inline-flex items-center gap-1.5 font-normal text-sm"
          />
        </h1>
        <StateVoice name={detail.name} state={detail.state} />
        <p className="flex items-center gap-1 text-ink-3 text-xs">
          <span className="truncate font-mono">{detail.options.image}</span>
          <span className="font-mono max-sm:hidden"> · {detail.id.slice(0, 12)}</span>
          <CopyButton text={detail.id} label={t('detail.copyId')} className="size-5 max-sm:hidden" />
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-1.5">
        {button('start', <Play aria-hidden />, 'primary')}
        {button('unpause', <Play aria-hidden />, 'primary')}
        {button('stop', <Square className="!size-3 fill-current" aria-hidden />)}
        {button('restart', <RotateCw aria-hidden />)}
        {/* On a telephone the tabs right below are the same two ways. */}
        <Button
          className="max-sm:hidden"
          hint={t('detail.logsBelow')}
          size="icon"
          aria-label={t('openLogs')}
          onClick={() => open('logs', target)}
        >
          <ScrollText aria-hidden />
        </Button>
        <Button
          className="max-sm:hidden"
          size="icon"
          hint={t('openTerminal')}
          disabledReason={allow('shell') ?? (running ? null : t('notRunning', { name: detail.name }))}
          onClick={() => open('terminal', target)}
        >
          <SquareTerminal aria-hidden />
        </Button>
        <ContainerMenu
          target={target}
          onRemoved={onRemoved}
          trigger={
            <Button size="icon" hint={t('actionsOf', { name: detail.name })}>
              <Ellipsis aria-hidden />
            </Button>
          }
        />
      </div>
    </header>
  )
}
