'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { Badge } from '../../ui/badge'
import { Clamped } from '../../ui/clamped'
import { CommandLine } from '../../ui/code-block'
import { useFormat } from '../../ui/format'
import { Ago } from '../../ui/now'
import { Card, Fact, Facts } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { quoteWord } from '../../ui/shell-words'
import { visibleText } from '../../ui/visible-text'
import { useAgent } from '../../wire/agent'
import type { TabInput } from './container-tab'
import { DeathPanel } from './death-panel'
import { Environment } from './environment'
import { LimitsEditor } from './limits-editor'
import { Ports } from './ports'
import { runCommand } from './run-command'

/** What it is and how it fares: why it died, its limits with present use, addresses, processes, environment. */
export function OverviewTab(input: TabInput) {
  const t = useTranslations('containers')
  const format = useFormat()
  const { hostId, detail, running } = input
  const { state, effective, options } = detail
  return (
    <div className="grid items-start gap-3 xl:grid-cols-2">
      {running || (state.status === 'created' && !state.error) ? null : <DeathPanel {...input} />}
      <div className="grid min-w-0 gap-3">
        <Card title={t('overview.about')}>
          <Facts>
            <Fact name={t('overview.image')}>
              <Link
                href={`/h/${hostId}/images/${encodeURIComponent(detail.imageId)}`}
                className="tap break-all font-mono text-accent text-xs hover:underline"
              >
                {options.image}
              </Link>
            </Fact>
            <Fact name={t('overview.command')} mono>
              <Clamped>{visibleText(effective.command.map(quoteWord).join(' ')) || '–'}</Clamped>
            </Fact>
            <Fact name={t('overview.created')}>
              <Ago at={detail.createdAt} />
            </Fact>
            {state.startedAt ? (
              <Fact name={t('overview.started')}>
                <Ago at={state.startedAt} />
                {running ? <span className="text-ink-3"> · PID {state.pid}</span> : null}
              </Fact>
            ) : null}
            <Fact name={t('overview.restart')}>
              {t(`create.restarts.${options.restart.name}`)}
              {state.restartCount > 0 ? (
                <span className="text-ink-3"> · {t('overview.restarts', { count: state.restartCount })}</span>
              ) : null}
            </Fact>
            <Fact name={t('overview.user')} mono>
              {effective.user || 'root'}
            </Fact>
            <Fact name={t('overview.directory')} mono>
              {effective.workingDir || '/'}
            </Fact>
            <Fact name={t('overview.hostname')} mono>
              {effective.hostname || '–'}
            </Fact>
            {detail.sizeRwBytes === null ? null : (
              <Fact name={t('overview.size')}>
                {t('overview.sizes', { own: format.bytes(detail.sizeRwBytes), all: format.bytes(detail.sizeRootFsBytes ?? 0) })}
              </Fact>
            )}
            {options.privileged ? (
              <Fact name={t('overview.privileges')}>
                <Badge tone="warn">{t('overview.privileged')}</Badge>
              </Fact>
            ) : null}
          </Facts>
          <CommandLine className="mt-3" command={runCommand(detail.name, options)} />
        </Card>
        <Card title={t('overview.addresses')}>
          <Facts>
            <Fact name={t('overview.ports')}>
              {detail.ports.length > 0 ? (
                <Ports ports={detail.ports} show={20} addresses />
              ) : (
                <span className="text-ink-3">{t('overview.noPorts')}</span>
              )}
            </Fact>
            {detail.networks.map((network) => (
              <Fact key={network.networkId} name={network.networkName} mono>
                {network.ipv4 || '–'}
                {network.ipv6 ? `, ${network.ipv6}` : ''}
              </Fact>
            ))}
            {detail.networks.length === 0 ? <Fact name={t('overview.network')}>{options.networkMode || '–'}</Fact> : null}
          </Facts>
        </Card>
        {state.health.status === 'none' ? null : <Health {...input} />}
      </div>
      <div className="grid min-w-0 gap-3">
        <LimitsEditor {...input} />
        {running ? <Processes {...input} /> : null}
      </div>
      <Environment env={effective.env} />
      {Object.keys(effective.labels).length > 0 ? (
        <Card title={t('overview.labels')} className="xl:col-span-2">
          <Facts>
            {Object.entries(effective.labels).map(([key, value]) => (
              <Fact key={key} name={<span className="break-all font-mono">{visibleText(key)}</span>} mono>
                {visibleText(value) || '–'}
              </Fact>
            ))}
          </Facts>
        </Card>
      ) : null}
    </div>
  )
}

function Health({ detail }: TabInput) {
  const t = useTranslations('containers')
  const { health } = detail.state
  const tone = health.status === 'healthy' ? 'good' : health.status === 'unhealthy' ? 'bad' : 'warn'
  return (
    <Card title={t('overview.health')} aside={<Badge tone={tone}>{t(`health.${health.status}`)}</Badge>}>
      <ul className="grid gap-2">
        {health.log
          .slice(-4)
          .reverse()
          .map((check) => (
            <li key={check.startedAt} className="grid gap-0.5">
              <span className="flex items-center gap-2 text-xs">
                <Badge tone={check.exitCode === 0 ? 'good' : 'bad'}>
                  {check.exitCode === 0 ? t('overview.checkPassed') : t('overview.checkFailed', { code: check.exitCode })}
                </Badge>
                <Ago at={check.endedAt} className="text-ink-3" />
              </span>
              {check.output ? (
                <pre className="line-clamp-3 whitespace-pre-wrap break-all font-mono text-ink-2 text-xs">{check.output.trim()}</pre>
              ) : null}
            </li>
          ))}
      </ul>
      {health.log.length === 0 ? <p className="text-ink-3">{t('overview.noChecks')}</p> : null}
    </Card>
  )
}

/** The command takes what the other columns leave, and more lines where that is little. */
const processCell =
  'tabular whitespace-nowrap px-1.5 py-1 align-top font-mono first:pl-3.5 last:min-w-48 last:whitespace-normal last:break-words last:pr-3.5'

function Processes({ hostId, detail }: TabInput) {
  const t = useTranslations('containers')
  const top = useQuery(useAgent(hostId).containers.top.queryOptions({ container: detail.id }))
  return (
    <Card
      title={t('overview.processes')}
      aside={
        <button type="button" className="tap text-accent hover:underline" onClick={() => void top.refetch()}>
          {t('overview.again')}
        </button>
      }
      bodyClassName="p-0"
    >
      {top.error ? (
        <p className="p-3.5 text-bad">
          <Sentence>{top.error.message}</Sentence>
        </p>
      ) : null}
      <section
        aria-label={t('overview.processes')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-64 overflow-auto"
      >
        <table className="w-full text-xs" aria-label={t('overview.processes')}>
          <thead>
            <tr>
              {top.data?.titles.map((title) => (
                <th
                  key={title}
                  scope="col"
                  className="sticky top-0 bg-surface px-1.5 py-1.5 text-left font-medium text-ink-3 first:pl-3.5 last:w-full last:pr-3.5"
                >
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {top.data?.processes.map((process) => (
              <tr key={process.join()} className="border-t">
                {process.map((word, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns never move
                  <td key={index} className={processCell}>
                    {word}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Card>
  )
}
