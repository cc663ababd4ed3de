'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useRef, useState } from 'react'
import { type DockTab, useDock, wasOpenedHere } from '../../ui/dock'
import { ErrorPanel } from '../../ui/error-panel'
import { agentClient } from '../../wire/agent'
import { NoShell } from './no-shell'
import { TerminalPane } from './terminal-pane'

/** What a terminal tab knows; written into the dock so that a reloaded page joins the same session. */
export interface TerminalParams {
  hostId: string
  name: string
  /** The container, absent for the host's own console. */
  container?: string
  /** The session, once it is made. */
  exec?: string
  /** Joins the container's first process instead. */
  attach?: boolean
  /** A shell on the host itself: its session's name. */
  hostConsole?: string
  cmd?: string[]
  user?: string
  workingDir?: string
}

/** One terminal in the dock: makes its session when it has none, and joins it. */
export function TerminalTab({ tab, visible }: { tab: DockTab; visible: boolean }) {
  const t = useTranslations('terminals')
  const dock = useDock()
  const params = tab.params as unknown as TerminalParams
  const [problem, setProblem] = useState<unknown>(null)
  const [noShell, setNoShell] = useState(false)
  const making = useRef(false)
  const needed = !params.exec && !params.attach && !params.hostConsole
  useEffect(() => {
    if (!needed || making.current || problem || noShell) return
    making.current = true
    void begin(params)
      .then((exec) => {
        if (exec === null) setNoShell(true)
        else dock.update(tab.id, { params: { ...tab.params, ...exec } })
      }, setProblem)
      .finally(() => {
        making.current = false
      })
  }, [needed, params, problem, noShell, dock, tab])
  const again = () => {
    setProblem(null)
    setNoShell(false)
    dock.update(tab.id, { params: { ...tab.params, exec: undefined } })
  }
  if (noShell)
    return (
      <NoShell
        name={params.name}
        onRun={(cmd) => {
          setNoShell(false)
          dock.update(tab.id, { params: { ...tab.params, cmd } })
        }}
      />
    )
  if (problem)
    return <ErrorPanel error={problem} title={t('notStarted', { name: params.name })} onRetry={again} className="m-4 self-start" />
  const target = params.hostConsole
    ? { hostConsole: params.hostConsole }
    : params.attach && params.container
      ? { container: params.container }
      : params.exec
        ? { exec: params.exec }
        : null
  if (!target) return <p className="flex-1 bg-term p-4 text-term-ink">{t('opening')}</p>
  return (
    <TerminalPane
      key={JSON.stringify(target)}
      hostId={params.hostId}
      target={target}
      label={t('label', { name: params.name })}
      visible={visible}
      takesKeys={wasOpenedHere(tab.id)}
      again={params.exec ? again : undefined}
    />
  )
}

/** Makes the session: the chosen command or the best shell of the image. Null: there is no shell. */
async function begin(params: TerminalParams): Promise<{ exec: string; cmd: string[] } | null> {
  const agent = agentClient(params.hostId)
  const container = params.container as string
  let cmd = params.cmd
  if (!cmd) {
    const [shell] = await agent.exec.shells.query({ container })
    if (!shell) return null
    cmd = [shell]
  }
  const { id } = await agent.exec.create.mutate({
    container,
    options: {
      cmd,
      terminal: true,
      attachStdin: true,
      user: params.user ?? '',
      workingDir: params.workingDir ?? '',
      env: ['TERM=xterm-256color', 'COLORTERM=truecolor'],
    },
  })
  return { exec: id, cmd }
}
