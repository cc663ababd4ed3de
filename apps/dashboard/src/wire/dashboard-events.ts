/** The lists that the dashboard merges over all hosts. */
export const fleetNouns = ['containers', 'images', 'volumes', 'networks', 'operations'] as const
export type FleetNoun = (typeof fleetNouns)[number]

/** Dashboard → browser on the namespace `/dashboard`. The browser sends nothing there. */
export interface DashboardSocketEvents {
  /** A host was added, renamed, removed, or its state, system information or numbers changed. */
  'hosts.changed': () => void
  /** These merged lists are untrue for this host. */
  'fleet.changed': (host: string, nouns: FleetNoun[]) => void
  /** What this person may do has changed. */
  'access.changed': () => void
  'audit.changed': () => void
  /** The session is over (signed out elsewhere, revoked, expired). The socket is closed after it. */
  'session.ended': () => void
}
