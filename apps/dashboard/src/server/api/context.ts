import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access, Principal } from '../access/access.ts'
import type { Audit } from '../audit/audit.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { AgentArchive } from '../hosts/agent-archive.ts'
import type { Authority } from '../hosts/authority.ts'
import type { Enrolment } from '../hosts/enrolment.ts'
import type { Hosts } from '../hosts/hosts.ts'
import type { RequestOrigin } from '../http/request-origin.ts'
import type { ApiTokens } from '../identity/api-tokens.ts'
import type { People } from '../identity/people.ts'
import type { Sessions } from '../identity/sessions.ts'
import type { SetupToken } from '../identity/setup-token.ts'
import type { SignIn } from '../identity/sign-in.ts'
import type { Links } from '../links/links.ts'
import type { Log } from '../log.ts'
import type { HostPoints } from '../relay/host-points.ts'

/** The rooms that the own router asks. */
export interface ApiRooms {
  access: Access
  audit: Audit
  authority: Authority
  people: People
  sessions: Sessions
  apiTokens: ApiTokens
  signIn: SignIn
  setupToken: SetupToken
  hosts: Hosts
  enrolment: Enrolment
  agentArchive: AgentArchive
  links: Links
  points: HostPoints
  fleet: Fleet
  log: Log
}

/** What a procedure of the dashboard's own router gets. */
export interface ApiContext {
  rooms: ApiRooms
  /** Null: nobody is signed in. */
  principal: Principal | null
  request: IncomingMessage
  response: ServerResponse
  origin: RequestOrigin
  userAgent: string
  /** Whom a public procedure found out (a sign-in that worked); the audit names them. */
  found: { person: { id: string; name: string } | null }
}
