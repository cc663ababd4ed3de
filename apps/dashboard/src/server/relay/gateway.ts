import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Server, type Socket } from 'socket.io'
import type { DashboardSocketEvents } from '../../wire/dashboard-events.ts'
import type { Principal } from '../access/access.ts'
import { ServerError, wireErrorOf } from '../errors.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { authenticate, type Identity } from '../http/authenticate.ts'
import { requireOwnPage } from '../http/request-origin.ts'
import type { Settings } from '../settings.ts'
import { isStuck } from './back-pressure.ts'
import { HostSession, type HostSocket, type SessionRooms } from './host-session.ts'

export interface Gateway {
  close(): Promise<void>
  /** Open connections. */
  count(): number
  /** Ends what sessions and tokens that are over still have open. Called every few seconds. */
  endExpired(): Promise<void>
}
interface GatewayRooms extends SessionRooms {
  settings: Settings
  identity: Identity
  fleet: Fleet
}

/** The largest frame a browser may send: terminal input is the biggest. */
const mostFrameBytes = 262_144
const mostConnections = 2_000
const mostPerPerson = 500
const stuckCheckMs = 5_000
/** A connection that enters no namespace, for lack of a session, is given up. */
const enterMs = 10_000
const expiryCheckMs = 15_000

/**
 * The browser's side of everything that flows: namespace `/hosts/<id>` speaks the agent's event maps, `/dashboard` tells what changed here. A connection needs a session and
 * must come from our own page; each namespace authenticates again.
 */
export function openGateway(servers: { http: HttpServer; https: HttpServer }, rooms: GatewayRooms): Gateway {
  const io = new Server({
    transports: ['websocket'],
    serveClient: false,
    maxHttpBufferSize: mostFrameBytes,
    // Together less than 10 s: a page whose connection is dead must not show its values as live for longer. Often, so that a page or a machine that is busy for some seconds is not cut off.
    pingInterval: 2_000,
    pingTimeout: 7_500,
    connectTimeout: enterMs,
    perMessageDeflate: false,
    destroyUpgrade: false,
    allowRequest: (request, decide) => {
      try {
        if (io.engine.clientsCount >= mostConnections) throw new ServerError('resource_exhausted', 'too many connections')
        // Cookies or not: a page of another origin opens no connection here.
        if (!request.headers.authorization) requireOwnPage(request, rooms.settings)
        decide(null, true)
      } catch (error) {
        decide(wireErrorOf(error).message, false)
      }
    },
  })
  io.attach(servers.http)
  servers.https.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.startsWith('/socket.io/')) io.engine.handleUpgrade(request as never, socket as never, head)
  })
  const perPerson = new Map<string, number>()

  const enter = async (socket: Socket): Promise<Principal> => {
    const principal = await authenticate(socket.request, rooms.settings, rooms.identity, 'socket')
    if (!principal) throw new ServerError('unauthenticated', 'your session has ended; sign in again')
    return principal
  }
  const admit =
    (check: (principal: Principal, namespace: string) => void) => (socket: Socket, next: (error?: Error & { data?: unknown }) => void) => {
      enter(socket)
        .then((principal) => {
          check(principal, socket.nsp.name)
          const open = perPerson.get(principal.personId) ?? 0
          if (open >= mostPerPerson)
            throw new ServerError('resource_exhausted', `you have ${mostPerPerson} live views open; close some tabs`)
          perPerson.set(principal.personId, open + 1)
          socket.on('disconnect', () => {
            const left = (perPerson.get(principal.personId) ?? 1) - 1
            if (left > 0) perPerson.set(principal.personId, left)
            else perPerson.delete(principal.personId)
          })
          socket.data.principal = principal
          next()
        })
        .catch((error: unknown) => {
          const wire = wireErrorOf(error)
          if (wire.code === 'internal') rooms.log.error({ err: error }, 'a connection could not be admitted')
          next(Object.assign(new Error(wire.message), { data: wire }))
        })
    }

  const hosts = io.of(/^\/hosts\/[0-9a-f]{16}$/)
  hosts.use(
    admit((principal, namespace) => {
      const hostId = namespace.slice('/hosts/'.length)
      rooms.hosts.get(hostId)
      rooms.access.require(principal, hostId, 'view')
    }),
  )
  hosts.on('connection', (socket) => {
    new HostSession(socket as unknown as HostSocket, socket.data.principal as Principal, socket.nsp.name.slice('/hosts/'.length), rooms)
  })

  const dashboard = io.of('/dashboard')
  dashboard.use(admit(() => undefined))
  dashboard.on('connection', (socket) =>
    followDashboard(socket as unknown as Socket<Record<string, never>, DashboardSocketEvents>, socket.data.principal as Principal, rooms),
  )

  const stuck = setInterval(() => {
    for (const namespace of [dashboard, ...io._nsps.values()])
      for (const socket of namespace.sockets.values()) if (isStuck(socket)) socket.conn.close(true)
  }, stuckCheckMs)
  stuck.unref()
  /** Revoking and signing out are told at once; that time runs out is nobody's deed and is looked for. */
  const endExpired = async (): Promise<void> => {
    const held = { session: new Set<string>(), token: new Set<string>() }
    for (const namespace of [dashboard, ...io._nsps.values()])
      for (const { data } of namespace.sockets.values()) {
        const principal = data.principal as Principal | undefined
        if (principal) held[principal.via].add(principal.credentialId)
      }
    const { sessions, apiTokens } = rooms.identity
    const over = [...(await sessions.ended([...held.session])), ...(await apiTokens.ended([...held.token]))]
    for (const id of over) rooms.access.endCredential(id)
  }
  const expiry = setInterval(
    () => void endExpired().catch((error) => rooms.log.error({ err: error }, 'expired sessions could not be looked for')),
    expiryCheckMs,
  )
  expiry.unref()
  return {
    count: () => io.engine.clientsCount,
    endExpired,
    close: async () => {
      clearInterval(stuck)
      clearInterval(expiry)
      await io.close()
    },
  }
}

/** Tells one browser what changed, as far as it may know. */
function followDashboard(socket: Socket<Record<string, never>, DashboardSocketEvents>, principal: Principal, rooms: GatewayRooms): void {
  const { access, links, hosts, audit, fleet } = rooms
  const sees = (hostId: string): boolean => access.permissionsOn(principal, hostId).includes('view')
  const hostsChanged = throttled(() => socket.emit('hosts.changed'), 500)
  const auditChanged = throttled(() => socket.emit('audit.changed'), 1_000)
  const onState = (hostId: string): void => {
    if (sees(hostId)) hostsChanged.call()
  }
  const onRemoved = (): void => hostsChanged.call()
  const onFleet = (hostId: string, nouns: Parameters<DashboardSocketEvents['fleet.changed']>[1]): void => {
    if (sees(hostId) || !hosts.find(hostId)) socket.emit('fleet.changed', hostId, nouns)
  }
  const onAudit = (): void => {
    if (access.isAdministrator(principal)) auditChanged.call()
  }
  const onPerson = (personId: string): void => {
    if (personId === principal.personId) socket.emit('access.changed')
  }
  const onCredential = (id: string): void => {
    if (id !== principal.credentialId) return
    socket.emit('session.ended')
    // The farewell leaves first.
    setTimeout(() => socket.disconnect(true), 100)
  }
  links.on('state', onState)
  hosts.on('changed', onRemoved)
  hosts.on('removed', onRemoved)
  hosts.on('joined', onRemoved)
  fleet.on('changed', onFleet)
  audit.on('appended', onAudit)
  access.on('person-changed', onPerson)
  access.on('credential-ended', onCredential)
  socket.on('disconnect', () => {
    hostsChanged.stop()
    auditChanged.stop()
    links.off('state', onState)
    hosts.off('changed', onRemoved)
    hosts.off('removed', onRemoved)
    hosts.off('joined', onRemoved)
    fleet.off('changed', onFleet)
    audit.off('appended', onAudit)
    access.off('person-changed', onPerson)
    access.off('credential-ended', onCredential)
  })
}

/** At once, then at most so often; the last call is never lost. */
function throttled(work: () => void, ms: number): { call(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let again = false
  const run = (): void => {
    work()
    timer = setTimeout(() => {
      timer = undefined
      if (!again) return
      again = false
      run()
    }, ms)
    timer.unref()
  }
  return {
    call: () => {
      if (timer) again = true
      else run()
    },
    stop: () => clearTimeout(timer),
  }
}
