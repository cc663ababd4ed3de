import type { Role } from '@berth/contract/claim'
import type { Engine } from '../engine.ts'

/** Who asks: from a verified claim, or the local peer of the unix socket. */
export interface Caller {
  user: string
  userName: string
  role: Role
  /** Where the person's browser is, for the log. */
  from: string
  /** local: root on this machine, to whom the host's policy does not apply (it is theirs). */
  via: 'claim' | 'local'
  /** Seconds since 1970 after which the claim is stale; null for local. */
  expires: number | null
}

export interface ApiContext {
  engine: Engine
  caller: Caller
}
