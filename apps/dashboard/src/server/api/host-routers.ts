import type { Permission } from '@berth/contract/permission'
import type { HostPoint } from '@berth/contract/stats'
import type { SystemInfo } from '@berth/contract/system'
import * as z from 'zod'
import type { Principal } from '../access/access.ts'
import { ServerError } from '../errors.ts'
import { installCommand } from '../hosts/agent-archive.ts'
import type { HostRecord } from '../hosts/hosts.ts'
import { reachableBase } from '../http/request-origin.ts'
import type { LinkState } from '../links/agent-link.ts'
import type { ApiRooms } from './context.ts'
import { procedure, router } from './procedure.ts'

export interface HostView {
  id: string
  name: string
  address: string
  port: number
  state: LinkState['state']
  /** Since when it is in this state. */
  since: string
  lastSeenAt: string | null
  /** Why it is away. */
  message: string
  /** As it is, or was when last seen. */
  system: SystemInfo | null
  /** The newest numbers of the machine: null when none came within the last seconds, or, while it is away, when none are known. */
  point: HostPoint | null
  joinedAt: string
  certificateEnd: string
  /** What the asking person may do there. */
  permissions: Permission[]
}

function viewOf(rooms: ApiRooms, who: Principal, host: HostRecord): HostView {
  const state: LinkState = rooms.links.find(host.id)?.state ?? { state: 'away', since: '', lastSeenAt: null, message: '' }
  return {
    id: host.id,
    name: host.name,
    address: host.address,
    port: host.port,
    ...state,
    system: host.system,
    point: rooms.points.newest(host.id),
    joinedAt: host.joinedAt.toISOString(),
    certificateEnd: host.certificateEnd.toISOString(),
    permissions: [...rooms.access.permissionsOn(who, host.id)],
  }
}

const host = z.object({ host: z.string().max(64) })

/** The address goes into a command that somebody pastes as root; it came with a request. @throws ServerError `invalid_argument` */
function requireCommandWord(url: string): string {
  if (/^https?:\/\/[A-Za-z0-9.:[\]_-]+$/.test(url)) return url
  throw new ServerError(
    'invalid_argument',
    `"${url.slice(0, 200)}" cannot stand in a command; set BERTH_PUBLIC_URL to the dashboard's address`,
  )
}

export const hostsRouter = router({
  /** Those that the person may see. Live by the event `hosts.changed`; the numbers by `stats.open` with `host: true`. */
  list: procedure.query(({ ctx: { rooms, principal } }) =>
    rooms.hosts
      .list()
      .map((one) => viewOf(rooms, principal, one))
      .filter((view) => view.permissions.includes('view')),
  ),
  get: procedure.input(host).query(({ ctx: { rooms, principal }, input }) => {
    rooms.access.require(principal, input.host, 'view')
    return viewOf(rooms, principal, rooms.hosts.get(input.host))
  }),
  /**
   * A join token and the command to run on the host; shown once. `install`: the line for a host that has no agent yet, null where this server has none to hand out.
   * `host`: an existing host that joins again.
   */
  prepareJoin: procedure
    .input(
      z.object({
        name: z.string().trim().max(63).optional(),
        address: z.string().trim().max(255).optional(),
        host: z.string().max(64).optional(),
        minutes: z.number().int().min(5).max(1440).default(60),
      }),
    )
    .mutation(async ({ ctx, input }) => {
      const { enrolment, authority, agentArchive } = ctx.rooms
      const url = requireCommandWord(reachableBase(ctx.origin))
      const { token, join } = await enrolment.createToken({
        name: input.name,
        address: input.address,
        hostId: input.host,
        minutes: input.minutes,
        createdBy: ctx.principal.personName,
      })
      const { fingerprint } = authority
      const archive = await agentArchive.facts()
      const install = archive && installCommand({ url, token, fingerprint, sha256: archive.sha256 })
      return { join, token, fingerprint, url, install, command: `berth-agent join ${url} --token ${token} --fingerprint ${fingerprint}` }
    }),
  /** Tokens that wait for their host. */
  joins: procedure.query(({ ctx }) => ctx.rooms.enrolment.waiting()),
  /** For "waiting for the host…"; live by `hosts.changed`. */
  joinResult: procedure.input(z.object({ join: z.string().max(64) })).query(({ ctx, input }) => ctx.rooms.enrolment.result(input.join)),
  cancelJoin: procedure.input(z.object({ join: z.string().max(64) })).mutation(({ ctx, input }) => ctx.rooms.enrolment.cancel(input.join)),
  rename: procedure.input(host.extend({ name: z.string().max(100) })).mutation(async ({ ctx, input }) => {
    await ctx.rooms.hosts.rename(input.host, input.name)
  }),
  setAddress: procedure
    .input(host.extend({ address: z.string().trim().max(255), port: z.number().int().min(1).max(65535) }))
    .mutation(async ({ ctx, input }) => {
      await ctx.rooms.hosts.setAddress(input.host, input.address, input.port)
    }),
  /** A new certificate now, instead of when it is due. */
  renew: procedure.input(host).mutation(({ ctx, input }) => ctx.rooms.links.get(input.host).renew()),
  /** Ends the link at once; the host stays in the list until it is removed or joins again. */
  revoke: procedure.input(host).mutation(async ({ ctx, input }) => {
    await ctx.rooms.hosts.revoke(input.host)
  }),
  /** Forgets the host and every role on it. What runs there goes on. */
  remove: procedure.input(host).mutation(async ({ ctx, input }) => {
    await ctx.rooms.hosts.remove(input.host)
    await ctx.rooms.people.forgetHost(input.host)
  }),
})

/** `host`: that host's part alone. */
export const fleetInput = z.object({ host: z.string().max(64).optional() }).prefault({})

/** The merged lists over all hosts that the person may see; each host's part says how true it is. */
export const fleetRouter = router({
  containers: procedure.input(fleetInput).query(({ ctx, input }) => ctx.rooms.fleet.list('containers', ctx.principal, input.host)),
  images: procedure.input(fleetInput).query(({ ctx, input }) => ctx.rooms.fleet.list('images', ctx.principal, input.host)),
  volumes: procedure.input(fleetInput).query(({ ctx, input }) => ctx.rooms.fleet.list('volumes', ctx.principal, input.host)),
  networks: procedure.input(fleetInput).query(({ ctx, input }) => ctx.rooms.fleet.list('networks', ctx.principal, input.host)),
  operations: procedure.input(fleetInput).query(({ ctx, input }) => ctx.rooms.fleet.list('operations', ctx.principal, input.host)),
})
