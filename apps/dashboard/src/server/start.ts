import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import next from 'next'
import { Access } from './access/access.ts'
import type { ApiRooms } from './api/context.ts'
import { Audit, theDashboard } from './audit/audit.ts'
import { type Data, type Database, openData } from './data/database.ts'
import { holdData } from './data/hold.ts'
import { ServerError } from './errors.ts'
import { Fleet } from './fleet/fleet.ts'
import { AgentArchive, findAgentArchive } from './hosts/agent-archive.ts'
import { openAuthority } from './hosts/authority.ts'
import { Enrolment } from './hosts/enrolment.ts'
import { Hosts } from './hosts/hosts.ts'
import { LocalInvitation } from './hosts/local-invitation.ts'
import { createHandler, type PageHandler } from './http/handler.ts'
import { createListener } from './http/listener.ts'
import { originOf } from './http/request-origin.ts'
import { readSessionCookie } from './http/session-cookie.ts'
import { openStaticFiles } from './http/static-files.ts'
import { ApiTokens } from './identity/api-tokens.ts'
import { People } from './identity/people.ts'
import { Sessions } from './identity/sessions.ts'
import { SetupToken } from './identity/setup-token.ts'
import { SignIn } from './identity/sign-in.ts'
import { Throttle } from './identity/throttle.ts'
import { Links } from './links/links.ts'
import { createLog } from './log.ts'
import { sharePageServer } from './page-server.ts'
import { type Gateway, openGateway } from './relay/gateway.ts'
import { HostHubs } from './relay/host-hubs.ts'
import { HostPoints } from './relay/host-points.ts'
import { loadSettings, type Settings } from './settings.ts'

export interface Dashboard {
  port: number
  /** For tests and benchmarks. */
  rooms: ApiRooms
  gateway: Gateway
  data: Data
  database: Database
  setupToken: string | null
  close(): Promise<void>
}

interface StartOptions {
  applicationRoot: string
  development: boolean
  /** Absent: Next.js serves the pages. */
  pages?: PageHandler
  env?: NodeJS.ProcessEnv
}

const dailyMs = 24 * 3_600_000

/** Builds every room of the server, wires them and listens. @throws ServerError or the system's error when a setting, the data or the port cannot be used */
export async function startDashboard(options: StartOptions): Promise<Dashboard> {
  const settings = loadSettings(options.env ?? process.env)
  const log = createLog(settings.logLevel)
  const letGo = holdData(settings.dataRoot)
  const data = await openData(settings.dataRoot, join(options.applicationRoot, '../../prisma/sqlite/migrations'))
  if (data.migrated.length > 0) log.info({ migrations: data.migrated }, 'the database was brought to the newest schema')
  const authority = await openAuthority(data)
  const access = await Access.open(data.database)
  const audit = new Audit(data, log)
  const leftovers = await audit.settleLeftovers()
  if (leftovers > 0) log.warn({ actions: leftovers }, 'the dashboard ended while actions were under way; the audit says which')
  const throttle = new Throttle(data.database)
  const sessions = new Sessions(data.database, access)
  const apiTokens = new ApiTokens(data.database, access)
  const people = new People(data.database, access, sessions, throttle)
  const hosts = await Hosts.open(data)
  const links = new Links(hosts, authority, log)
  const fleet = new Fleet(hosts, links, access)
  const hubs = new HostHubs(links, (hostId, hub) => fleet.watch(hostId, hub))
  const points = new HostPoints(hubs, links)
  const enrolment = new Enrolment(data, hosts, authority, audit, throttle)
  const setupToken = new SetupToken(throttle)
  const signIn = new SignIn(data, sessions, throttle)
  const rooms: ApiRooms = {
    access,
    audit,
    authority,
    people,
    sessions,
    apiTokens,
    signIn,
    setupToken,
    hosts,
    enrolment,
    agentArchive: new AgentArchive(findAgentArchive(options.applicationRoot)),
    links,
    points,
    fleet,
    log,
  }
  const identity = { sessions, apiTokens }
  sharePageServer({
    personOf: async (cookieHeader, secure) => {
      const secret = readSessionCookie({ headers: { cookie: cookieHeader } } as IncomingMessage, secure)
      const person = secret ? await sessions.resolve(secret, '') : null
      return person && { id: person.personId, name: person.personName, email: person.email }
    },
    setupNeeded: () => people.setupNeeded(),
  })
  const next = options.pages ? null : await openPages(options)
  const pages = options.pages ?? (next as NonNullable<typeof next>).handle
  const { key, certificate } = authority.https()
  const handler = createHandler(rooms, settings, identity, {
    pages: withSecureMark(pages, settings),
    // Pages that are compiled while one works on them are nothing that an earlier build has left.
    files: options.development ? () => false : openStaticFiles(join(options.applicationRoot, '.next/static')),
    development: options.development,
  })
  const listener = createListener(handler, { key, cert: certificate })
  if (next)
    for (const server of [listener.http, listener.https])
      server.on('upgrade', (request, socket, head) => !request.url?.startsWith('/socket.io/') && next.upgrade(request, socket, head))
  const gateway = openGateway(listener, { ...rooms, hubs, settings, identity })
  const port = await listener.listen(settings.port, settings.host).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE'
      ? new ServerError('unavailable', `port ${settings.port} is in use by another program; set BERTH_PORT to another one`, {
          cause: error,
        })
      : error
  })
  links.on('renewed', ({ id, name }, { serial, end }) => {
    audit
      .append({ actor: theDashboard, host: { id, name }, action: 'host.renewed', subject: name, detail: { serial, end }, outcome: 'ok' })
      .catch((error) => log.error({ err: error, host: name }, 'the renewal of a host could not be recorded'))
  })
  links.openAll()
  const invitation = new LocalInvitation({ data, hosts, links, enrolment, authority, log }, { runRoot: settings.runRoot, port })
  if (settings.inviteLocalAgent) await invitation.open()
  const daily = setInterval(() => void renewOwn(), dailyMs)
  daily.unref()
  async function renewOwn(): Promise<void> {
    const renewed = await authority.renewOwn()
    if (renewed.includes('https')) listener.https.setSecureContext({ key: authority.https().key, cert: authority.https().certificate })
    if (renewed.includes('client')) links.redial()
  }
  await audit.append({ actor: theDashboard, action: 'dashboard.started', outcome: 'ok' })
  const needed = await people.setupNeeded()
  log.info({ port, fingerprint: authority.fingerprint }, 'the dashboard listens')
  await greet(settings, port, needed ? setupToken.text : null)
  return {
    port,
    rooms,
    gateway,
    data,
    database: data.database,
    setupToken: needed ? setupToken.text : null,
    close: async () => {
      clearInterval(daily)
      invitation.close()
      points.close()
      await gateway.close()
      await listener.close()
      await links.close()
      await next?.close()
      await data.close()
      letGo()
    },
  }
}

async function openPages({ applicationRoot, development }: StartOptions) {
  if (!development && !existsSync(join(applicationRoot, '.next/BUILD_ID')))
    throw new ServerError('failed_precondition', 'the pages have not been built; run npm run build -w @berth/dashboard')
  const application = next({ dev: development, dir: applicationRoot, customServer: true })
  await application.prepare()
  return {
    handle: application.getRequestHandler() as PageHandler,
    upgrade: application.getUpgradeHandler(),
    close: () => application.close(),
  }
}

/** Pages learn whether the browser came by TLS, and nobody outside can say so in our place. */
function withSecureMark(pages: PageHandler, settings: Settings): PageHandler {
  return (request: IncomingMessage, response: ServerResponse) => {
    request.headers['x-berth-secure'] = originOf(request, settings).secure ? '1' : '0'
    request.headers['x-berth-path'] = request.url ?? '/'
    return pages(request, response)
  }
}

/**
 * The address that this machine has towards others: the one that the kernel would send from, so that a container bridge is never named. Connecting a
 * datagram socket sends nothing. null without a route (udp(7), connect(2)).
 */
function addressTowardsOthers(): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    const settle = (address: string | null) => {
      socket.close()
      resolve(address)
    }
    socket.once('error', () => settle(null))
    // TEST-NET-1 (RFC 5737): nobody has it, so the default route decides.
    socket.connect(9, '192.0.2.1', () => {
      const { address } = socket.address()
      settle(address === '0.0.0.0' ? null : address)
    })
  })
}

/** For the person at the terminal; the log's lines are for machines. */
async function greet(settings: Settings, port: number, setupToken: string | null): Promise<void> {
  const address = settings.publicUrl?.origin ?? `http://localhost:${port}`
  const lines = [`Berth is at ${address}`]
  const everywhere = !settings.publicUrl && (settings.host === '::' || settings.host === '0.0.0.0')
  const elsewhere = everywhere ? await addressTowardsOthers() : null
  if (elsewhere) lines.push(`From other machines: https://${elsewhere}:${port} (its certificate is this dashboard's own)`)
  if (setupToken) lines.push(`Setup token for the first account: ${setupToken}`)
  process.stdout.write(`\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`)
}
