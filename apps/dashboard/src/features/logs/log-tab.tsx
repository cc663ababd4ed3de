'use client'
import type { DockTab } from '../../ui/dock'
import { LogView } from './log-view'
import type { LogSource } from './use-log'

/** A log in the dock: one container, or several merged (`params.sources`). */
export function LogTab({ tab }: { tab: DockTab }) {
  const { sources, hostId, container, name } = tab.params as { sources?: LogSource[]; hostId: string; container: string; name: string }
  return <LogView sources={sources ?? [{ hostId, container, name }]} />
}
