import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { type Dashboard, startDashboard } from '../start.ts'

const applicationRoot = join(import.meta.dirname, '../../..')

/** A dashboard of its own data, on a port of its own, without pages. */
export interface TestDashboard extends Dashboard {
  base: string
  folder: string
  /** Ends it; `keep` leaves the data for the next start. */
  end(keep?: boolean): Promise<void>
}

export async function openTestDashboard(
  folder = mkdtempSync(join(tmpdir(), 'berth-dashboard-')),
  extra: NodeJS.ProcessEnv = {} as NodeJS.ProcessEnv,
): Promise<TestDashboard> {
  const port = await freePort()
  const write = process.stdout.write
  // The greeting with the setup token is for people; tests take it from the object.
  process.stdout.write = (() => true) as typeof write
  const dashboard = await startDashboard({
    applicationRoot,
    development: false,
    pages: async (_request, response) => void response.end('page'),
    env: {
      BERTH_DATA: folder,
      BERTH_RUN: join(folder, 'run'),
      BERTH_PORT: String(port),
      BERTH_HOST: '127.0.0.1',
      BERTH_LOG_LEVEL: 'silent',
      BERTH_LOCAL_AGENT: '0',
      ...extra,
    } as NodeJS.ProcessEnv,
  }).finally(() => {
    process.stdout.write = write
  })
  return {
    ...dashboard,
    base: `http://127.0.0.1:${port}`,
    folder,
    end: async (keep = false) => {
      await dashboard.close()
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface Answer {
  status: number
  data: unknown
  error: { message: string; code: string } | null
  headers: Headers
}

/** A browser as far as HTTP goes: keeps its cookie, sends its Origin. */
export class Browser {
  cookie = ''
  constructor(
    readonly base: string,
    readonly origin = base,
  ) {}

  async call(method: 'GET' | 'POST', path: string, input?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const url = new URL(path, this.base)
    if (method === 'GET' && input !== undefined) url.searchParams.set('input', JSON.stringify(input))
    const response = await fetch(url, {
      method,
      headers: {
        ...(this.cookie ? { cookie: this.cookie } : {}),
        origin: this.origin,
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(method === 'POST' ? { body: JSON.stringify(input ?? null) } : {}),
    })
    const set = response.headers.getSetCookie()[0]
    if (set) this.cookie = set.includes('Max-Age=0') ? '' : (set.split(';')[0] as string)
    const text = await response.text()
    const body = text.startsWith('{')
      ? (JSON.parse(text) as {
          result?: { data?: unknown }
          error?: { message: string; data?: { errorCode?: string } }
          code?: string
          message?: string
        })
      : {}
    const error = body.error
      ? { message: body.error.message, code: body.error.data?.errorCode ?? '' }
      : body.code
        ? { message: body.message ?? '', code: body.code }
        : null
    return { status: response.status, data: body.result?.data ?? (text.startsWith('{') ? body : text), error, headers: response.headers }
  }

  query(procedure: string, input?: unknown): Promise<Answer> {
    return this.call('GET', `/api/trpc/${procedure}`, input)
  }

  mutate(procedure: string, input?: unknown): Promise<Answer> {
    return this.call('POST', `/api/trpc/${procedure}`, input)
  }

  /** @throws Error with the refusal's sentence */
  socket(namespace: string, headers: Record<string, string> = {}): Promise<Socket> {
    const socket = io(`${this.base}${namespace}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: { cookie: this.cookie, origin: this.origin, ...headers },
    })
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket))
      socket.once('connect_error', (error) => {
        socket.disconnect()
        reject(error)
      })
    })
  }
}

/** The first account, signed in. */
export async function setUp(dashboard: TestDashboard): Promise<Browser> {
  const browser = new Browser(dashboard.base)
  const answer = await browser.mutate('setup.create', {
    token: dashboard.setupToken,
    name: 'Ada',
    email: 'ada@example.com',
    password: 'correct horse battery',
  })
  if (answer.error) throw new Error(answer.error.message)
  return browser
}

/** Another account with these roles, signed in. */
export async function addPerson(
  dashboard: TestDashboard,
  admin: Browser,
  name: string,
  grants: { scope: string; role: string }[],
): Promise<Browser & { id: string }> {
  const email = `${name}@example.com`
  const invitation = await admin.mutate('invitations.create', { email, grants })
  const token = (invitation.data as { url: string }).url.split('/invite/')[1] as string
  const browser = new Browser(dashboard.base)
  await browser.mutate('invitations.accept', { token, name, password: `${name} has a long secret` })
  const signedIn = await browser.mutate('session.signIn', { email, password: `${name} has a long secret` })
  if (signedIn.error) throw new Error(signedIn.error.message)
  return Object.assign(browser, { id: ((await browser.query('me.get')).data as { id: string }).id })
}

export async function joinToken(admin: Browser, input: object = {}): Promise<string> {
  const answer = await admin.mutate('hosts.prepareJoin', input)
  if (answer.error) throw new Error(answer.error.message)
  return (answer.data as { token: string }).token
}

/** Waits for something that another process or a timer brings about. */
export async function until<T>(look: () => T | Promise<T>, what: string, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found) return found as NonNullable<T>
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A socket event with an acknowledgement. */
export function ask(
  socket: Socket,
  event: string,
  ...args: unknown[]
): Promise<{ ok: boolean; value?: unknown; error?: { code: string; message: string } }> {
  return new Promise((resolve) => socket.emit(event, ...args, resolve))
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise<void>((resolve) => probe.close(() => resolve()))
  return port
}
