import * as z from 'zod'

/** Roles, weakest first. */
export const roles = ['viewer', 'operator', 'developer', 'admin'] as const
export const role = z.enum(roles)
export type Role = z.infer<typeof role>

/**
 * Who is behind a command. The dashboard signs it (Ed25519 key whose certificate the host pinned at enrolment) and sends it with every tRPC request and
 * socket event as the header / handshake field `x-berth-claim`: base64url(JSON) + '.' + base64url(signature). The agent refuses a
 * missing, foreign, expired or replayed-to-another-host claim with `permission_denied`, and applies its own host policy on top.
 *
 * One link carries many people, so on the agent's socket the claim travels with each event: it is one more argument in front of those of
 * `ClientEvents` (`socket.emit('logs.open', claim, input, ack)`; nothing else differs). The same claim may be sent again until it expires. On
 * HTTP (tRPC and data routes) it is the header. The agent's unix socket takes neither: its peer is root on the host.
 */
export const claim = z.object({
  /** Host id that it is meant for. */
  host: z.string(),
  user: z.string(),
  userName: z.string(),
  role: role,
  /** Seconds since 1970; at most 60 s ahead. */
  expires: z.number().int(),
  /** Where the browser was, for the agent's own log. */
  from: z.string(),
})
export type Claim = z.infer<typeof claim>
export const claimHeader = 'x-berth-claim'
