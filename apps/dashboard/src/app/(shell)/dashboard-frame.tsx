'use client'
import { ListChecks, ScrollText, SquareTerminal } from 'lucide-react'
import type { ReactNode } from 'react'
import { Shell } from '../../features/shell/shell'
import { CloseTerminal, mayCloseTerminal } from '../../features/terminals/close-terminal'
import type { DockRenderer } from '../../ui/dock'
import { later } from '../../ui/later'

const LogTab = later(() => import('../../features/logs/log-tab').then((module) => module.LogTab))
const TerminalTab = later(() => import('../../features/terminals/terminal-tab').then((module) => module.TerminalTab))
const OperationTab = later(() => import('../../features/activity/operation-tab').then((module) => module.OperationTab))

/** What each kind of tab in the dock is drawn by. */
const renderers: Record<string, DockRenderer> = {
  logs: { icon: <ScrollText aria-hidden />, render: (tab) => <LogTab tab={tab} /> },
  terminal: {
    icon: <SquareTerminal aria-hidden />,
    render: (tab, visible) => <TerminalTab tab={tab} visible={visible} />,
    beforeClose: mayCloseTerminal,
  },
  operation: {
    icon: <ListChecks aria-hidden />,
    render: ({ params }) => <OperationTab hostId={params.hostId as string} id={params.operation as string} />,
  },
}

/** The shell with everything that the features put into it. */
export function DashboardFrame({ account, children }: { account: ReactNode; children: ReactNode }) {
  return (
    <Shell account={account} renderers={renderers}>
      {children}
      <CloseTerminal />
    </Shell>
  )
}
