'use client'
import type { ExecDetail } from '@berth/contract/exec'
import { useQuery } from '@tanstack/react-query'
import { Plug, SquareTerminal } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { CommandLine } from '../../ui/code-block'
import { Combobox } from '../../ui/combobox'
import { useDock } from '../../ui/dock'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input } from '../../ui/input'
import { Ago } from '../../ui/now'
import { Card, Rows } from '../../ui/section'
import { quoteWord, splitWords } from '../../ui/shell-words'
import { useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import type { TerminalParams } from './terminal-tab'

/** The words of a command as a shell would cut them; null while a quote is open. */
function wordsOf(line: string): string[] | null {
  try {
    return splitWords(line)
  } catch {
    return null
  }
}

/** Where terminals of one container are begun and taken up again. They open in the dock. */
export function TerminalLauncher({
  hostId,
  hostName,
  container,
  name,
  running,
}: {
  hostId: string
  hostName: string
  container: string
  name: string
  running: boolean
}) {
  const t = useTranslations('terminals')
  const allow = useAllow(hostId)
  const agent = useAgent(hostId)
  const dock = useDock()
  const denied = allow('shell')
  const shells = useQuery(agent.exec.shells.queryOptions({ container }, { enabled: running && !denied }))
  const execs = useQuery(agent.exec.list.queryOptions({ container }))
  const [command, setCommand] = useState('')
  const [user, setUser] = useState('')
  const [workingDir, setWorkingDir] = useState('')
  const chosen = command || shells.data?.[0] || ''
  const open = (more: Partial<TerminalParams>) => {
    const params: TerminalParams = { hostId, container, name, ...more }
    dock.open({
      id: `terminal-${more.exec ?? Date.now().toString(36)}`,
      kind: 'terminal',
      title: name,
      place: hostName,
      params: params as unknown as Record<string, unknown>,
    })
  }
  const words = wordsOf(chosen)
  const start = () => words && open({ cmd: words.length > 0 ? words : undefined, user, workingDir })
  const reason = denied ?? (running ? (words ? null : t('notClosed')) : t('notRunning', { name }))
  const sessions = (execs.data ?? []).filter((exec) => exec.running && exec.options.terminal)
  return (
    <div className="grid items-start gap-3 lg:grid-cols-2">
      <Card title={t('new')}>
        <form
          className="grid gap-3.5"
          onSubmit={(event) => {
            event.preventDefault()
            if (!reason) start()
          }}
        >
          {shells.error ? <ErrorPanel error={shells.error} compact onRetry={() => void shells.refetch()} /> : null}
          {shells.data?.length === 0 ? <p className="rounded-md border bg-sunken px-3 py-2 text-ink-2">{t('noShell', { name })}</p> : null}
          <Field label={t('command')} help={t('shellHelp')} error={words ? null : t('notClosed')}>
            <Combobox
              mono
              free
              value={chosen}
              onChange={setCommand}
              items={(shells.data ?? []).map((shell) => ({ value: shell }))}
              label={t('command')}
              placeholder="/bin/sh"
              emptyWords={t('typeCommand')}
              freeWords={t('run')}
            />
          </Field>
          <div className="grid gap-3 sm:grid-cols-2">
            <Field label={t('user')} help={t('userHelp')}>
              <Input mono value={user} placeholder="root" onChange={(event) => setUser(event.target.value)} />
            </Field>
            <Field label={t('directory')} help={t('directoryHelp')}>
              <Input mono value={workingDir} placeholder="/" onChange={(event) => setWorkingDir(event.target.value)} />
            </Field>
          </div>
          <div className="flex flex-wrap items-center gap-2">
            <Button type="submit" tone="primary" disabledReason={reason}>
              <SquareTerminal aria-hidden />
              {t('open')}
            </Button>
            <Button disabledReason={reason} hint={t('attachHint')} onClick={() => open({ attach: true })}>
              <Plug aria-hidden />
              {t('attach')}
            </Button>
          </div>
          {/* A reason that stands on the button alone cannot be read with a finger. */}
          {reason && words ? <p className="text-ink-3 text-xs">{reason}</p> : null}
          <CommandLine
            command={`docker exec -it ${user ? `-u ${quoteWord(user)} ` : ''}${workingDir ? `-w ${quoteWord(workingDir)} ` : ''}${name} ${chosen || 'sh'}`}
          />
        </form>
      </Card>
      <Card title={t('sessions')} bodyClassName="p-0">
        {sessions.length === 0 ? <EmptyState className="py-8">{t('noSessions')}</EmptyState> : null}
        <Rows>
          {sessions.map((exec: ExecDetail) => (
            <li key={exec.id} className="flex items-center gap-3 px-3.5 py-2">
              <div className="min-w-0 flex-1">
                <p className="truncate font-mono text-xs">{exec.options.cmd.map(quoteWord).join(' ')}</p>
                <p className="text-ink-3 text-xs">
                  {exec.options.user || t('imageUser')} · PID {exec.pid} · <Ago at={exec.createdAt} />
                </p>
              </div>
              <Button size="small" disabledReason={denied} onClick={() => open({ exec: exec.id, cmd: exec.options.cmd })}>
                {t('join')}
              </Button>
            </li>
          ))}
        </Rows>
      </Card>
    </div>
  )
}
