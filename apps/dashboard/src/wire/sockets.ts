import type { ClientEvents, ServerEvents } from '@berth/contract/stream'
import { Manager, type Socket } from 'socket.io-client'
import type { DashboardSocketEvents } from './dashboard-events.ts'
import { HostChannel } from './host-channel.ts'

let manager: Manager | undefined
const channels = new Map<string, { channel: HostChannel; users: number; closing: ReturnType<typeof setTimeout> | undefined }>()
let dashboard: Socket<DashboardSocketEvents, Record<string, never>> | undefined

/** A page that leaves a host for a moment (a change of route) keeps its namespace this long. */
const lingerMs = 5_000

/**
 * A socket that the manager gives connects by itself. Asking it to connect once more on an open connection would enter the namespace twice, and the server
 * would have two sessions of which only the later one is heard.
 *
 * The one connection of this page; every namespace shares it. WebSocket alone: it carries bytes as bytes and has no long-polling half.
 */
function connection(): Manager {
  manager ??= new Manager({
    path: '/socket.io',
    transports: ['websocket'],
    reconnectionDelay: 300,
    reconnectionDelayMax: 5_000,
    timeout: 10_000,
  })
  return manager
}

/** The channel of a host and the function that gives it back; the namespace is left when nobody uses it any more. */
export function holdHostChannel(hostId: string): { channel: HostChannel; release: () => void } {
  let entry = channels.get(hostId)
  if (!entry) {
    const socket = connection().socket(`/hosts/${hostId}`) as Socket<ServerEvents, ClientEvents>
    entry = { channel: new HostChannel(socket), users: 0, closing: undefined }
    channels.set(hostId, entry)
  }
  const held = entry
  held.users += 1
  clearTimeout(held.closing)
  let released = false
  const release = (): void => {
    if (released) return
    released = true
    held.users -= 1
    if (held.users > 0) return
    held.closing = setTimeout(() => {
      if (held.users > 0) return
      channels.delete(hostId)
      held.channel.socket.disconnect()
      held.channel.socket.removeAllListeners()
    }, lingerMs)
  }
  return { channel: held.channel, release }
}

/** The dashboard's own namespace: what changed in hosts, people and the merged lists. */
export function dashboardSocket(): Socket<DashboardSocketEvents, Record<string, never>> {
  if (!dashboard) {
    dashboard = connection().socket('/dashboard') as unknown as Socket<DashboardSocketEvents, Record<string, never>>
  }
  return dashboard
}
