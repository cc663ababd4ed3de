import type { Role } from '@berth/contract/claim'

/** In whose name something is asked of an agent. */
export interface Asker {
  user: string
  userName: string
  role: Role
  from: string
}
/** The dashboard's own questions: it looks, and renews certificates. */
export const dashboardAsker: Asker = { user: 'dashboard', userName: 'dashboard', role: 'viewer', from: '' }
