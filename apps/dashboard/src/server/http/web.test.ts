import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket as NetSocket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addPerson, ask, Browser, joinToken, openTestDashboard, setUp, type TestDashboard, until } from '../testing/dashboard.fixture.ts'
import { type SimulatedAgent, simulateAgent } from '../testing/simulated-agent.fixture.ts'
import { limitBodyTime } from './body.ts'
import { createListener } from './listener.ts'

// What is thrown at a server on the web. Real key derivation: generous on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let dashboard: TestDashboard
let admin: Browser
let agent: SimulatedAgent
let host: string

beforeAll(async () => {
  dashboard = await openTestDashboard()
  admin = await setUp(dashboard)
  agent = await simulateAgent({ base: dashboard.base, token: await joinToken(admin, { name: 'alpha' }), script: { containers: 2 } })
  host = agent.hostId
  await until(() => dashboard.rooms.links.find(host)?.state.state === 'online', 'the host')
})
afterAll(async () => {
  await agent.stop()
  await dashboard.end()
})

/** Sends bytes as they are and gives everything that comes back until the server hangs up. */
async function raw(text: string, over: 'http' | 'tls' = 'http', base = dashboard.base): Promise<string> {
  const { hostname, port } = new URL(base)
  const socket =
    over === 'tls' ? tlsConnect({ host: hostname, port: Number(port), rejectUnauthorized: false }) : connect(Number(port), hostname)
  let got = ''
  socket.on('data', (bytes: Buffer) => {
    got += bytes.toString('latin1')
  })
  socket.on('error', () => undefined)
  socket.write(text)
  await once(socket, 'close')
  return got
}
const close = 'connection: close\r\n'

/** A WebSocket handshake with what is given; resolves with the answer's head and the open connection. */
async function upgrade(headers: Record<string, string>): Promise<{ head: string; socket: NetSocket }> {
  const { hostname, port } = new URL(dashboard.base)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const lines = {
    host: `${hostname}:${port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  }
  const text = Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n${text}\r\n`)
  const [bytes] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [Buffer.alloc(0)])])) as [Buffer]
  return { head: bytes.toString('latin1').split('\r\n\r\n')[0] as string, socket }
}

describe('answers', () => {
  it('of pages run scripts with a nonce alone, are framed by nobody, and keep their type', async () => {
    const pages = await Promise.all([1, 2].map(() => fetch(`${dashboard.base}/sign-in`)))
    const policies = pages.map((page) => page.headers.get('content-security-policy') ?? '')
    const scripts = policies.map((policy) => /script-src ([^;]+)/.exec(policy)?.[1] ?? '')
    for (const script of scripts) {
      expect(script).toMatch(/'nonce-[A-Za-z0-9+/]{22}=='/)
      expect(script).not.toMatch(/unsafe|\*|https?:|data:/)
    }
    expect(scripts[0]).not.toBe(scripts[1])
    expect(policies[0]).toContain("object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    const { headers } = pages[0] as Response
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('referrer-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('strict-transport-security')).toBeNull()
  })

  it('of the API are kept by no cache and are no documents, errors too', async () => {
    for (const [method, path] of [
      ['GET', '/api/trpc/me.get'],
      ['GET', '/api/trpc/fleet.containers'],
      ['GET', `/api/hosts/${host}/trpc/containers.list`],
      ['GET', `/api/hosts/${host}/data/files/content?container=a&path=/x`],
      ['GET', '/api/audit/export?format=csv'],
      ['GET', '/api/nothing'],
      ['POST', '/api/enrol'],
      ['GET', '/healthz'],
    ] as const) {
      const { headers } = await admin.call(method, path)
      expect(headers.get('cache-control'), path).toBe('no-store')
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('content-security-policy') ?? headers.get('content-type'), path).toMatch(/^default-src 'none'|^application\/json/)
    }
  })

  it('over TLS bind the cookie to this host and to TLS, and promise TLS', async () => {
    const body = JSON.stringify({ email: 'ada@example.com', password: 'correct horse battery' })
    const { host: name } = new URL(dashboard.base)
    const answer = await raw(
      `POST /api/trpc/session.signIn HTTP/1.1\r\nhost: ${name}\r\norigin: https://${name}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${close}\r\n${body}`,
      'tls',
    )
    expect(answer).toMatch(/set-cookie: __Host-berth-session=bs_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure\r\n/i)
    expect(answer).toMatch(/strict-transport-security: max-age=31536000\r\n/i)
    // A cookie that was planted over plain HTTP is not looked at over TLS.
    const planted = await raw(`GET /api/trpc/me.get HTTP/1.1\r\nhost: ${name}\r\ncookie: ${admin.cookie}\r\n${close}\r\n`, 'tls')
    expect(planted).toContain('"errorCode":"unauthenticated"')
  })

  it('never send a browser elsewhere: not by the Host header, not by a path', async () => {
    const { host: name } = new URL(dashboard.base)
    for (const path of ['//evil.example/', '/\\evil.example', '/%2f%2fevil.example', '/sign-in?next=//evil.example'])
      expect(await raw(`GET ${path} HTTP/1.1\r\nhost: ${name}\r\n${close}\r\n`), path).not.toMatch(/location: [^\r]*evil/i)
  })
})

describe('requests', () => {
  it('that another site causes are refused: changes, reads, sockets; a page in the clear does not speak for TLS', async () => {
    const { host: name } = new URL(dashboard.base)
    for (const site of ['cross-site', 'same-site']) {
      const read = await admin.call('GET', '/api/trpc/me.get', undefined, { 'sec-fetch-site': site })
      expect(read.error?.code, site).toBe('permission_denied')
      const download = await admin.call('GET', `/api/hosts/${host}/data/volumes/backup?volume=v`, undefined, { 'sec-fetch-site': site })
      expect(download.error?.code, site).toBe('permission_denied')
    }
    expect((await admin.call('GET', '/api/trpc/me.get', undefined, { 'sec-fetch-site': 'none' })).error).toBeNull()
    for (const origin of ['https://evil.example', `http://${name}.evil.example`, 'null', 'http://localhost:1']) {
      const evil = new Browser(dashboard.base, origin)
      evil.cookie = admin.cookie
      expect((await evil.mutate('sessions.revokeOthers')).error?.code, origin).toBe('permission_denied')
      await expect(evil.socket(`/hosts/${host}`), origin).rejects.toThrow()
    }
    const body = '{}'
    const clear = await raw(
      `POST /api/trpc/sessions.revokeOthers HTTP/1.1\r\nhost: ${name}\r\norigin: http://${name}\r\ncookie: __Host-berth-session=${admin.cookie.split('=')[1]}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${close}\r\n${body}`,
      'tls',
    )
    expect(clear).toContain('"errorCode":"permission_denied"')
  })

  it('with paths and names that want to be something else reach nothing', async () => {
    const { host: name } = new URL(dashboard.base)
    const seen = agent.seen.requests.length
    for (const path of [
      `/api/hosts/${host}/data/../trpc/containers.list`,
      `/api/hosts/${host}/data/..%2ftrpc%2fsystem.info`,
      `/api/hosts/${host}/data/files%2fcontent?container=a&path=/x`,
      `/api/hosts/${host}/trpc/..%2f..%2fhealthz`,
      `/api/hosts/${host}/trpc/__proto__`,
      `/api/hosts/${host}/trpc/%00`,
      `/api/hosts/../../etc/passwd`,
      `/api/hosts/${'f'.repeat(16)}/trpc/containers.list`,
      '/api/trpc/../hosts',
      '/api/%2e%2e/%2e%2e/etc/passwd',
      '//',
      'http://[',
    ]) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: ${name}\r\ncookie: ${admin.cookie}\r\n${close}\r\n`)
      expect(answer, path).toMatch(/^HTTP\/1\.1 (4\d\d|200)/)
      expect(answer, path).not.toContain('root:')
    }
    // The first is, once its dots are gone, the question that the table allows; none of the others was forwarded.
    expect(agent.seen.requests.slice(seen).map((one) => one.path)).toEqual(['/trpc/containers.list'])
  })

  it('put no header and no line into anything by a name', async () => {
    for (const wanted of ['a\r\nSet-Cookie: x=1', 'a\nb', '../../x', '<script>', 'a"b', '\u202eabc', '']) {
      const answer = await admin.mutate('hosts.rename', { host, name: wanted })
      expect(answer.error?.code, wanted).toBe('invalid_argument')
    }
    expect(dashboard.rooms.hosts.get(host).name).toBe('alpha')
    for (const address of ['a\r\nb', 'x y', '$(id)', '-oProxy', 'a/b', 'a:b@c'])
      expect((await admin.mutate('hosts.setAddress', { host, address, port: 1 })).error?.code, address).toBe('invalid_argument')
    const smuggled = await raw(
      `POST /api/enrol HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n${close}\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n`,
    )
    expect(smuggled).toMatch(/^HTTP\/1\.1 400/)
  })

  it('that are too long are cut off before they are read', async () => {
    const { host: name } = new URL(dashboard.base)
    expect(await raw(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: ${name}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 (431|400)/)
    for (const [path, most] of [
      ['/api/enrol', 32 * 1024],
      ['/api/trpc/session.signIn', 1024 * 1024],
      [`/api/hosts/${host}/trpc/containers.create`, 4 * 1024 * 1024],
    ] as const) {
      const answer = await raw(
        `POST ${path} HTTP/1.1\r\nhost: ${name}\r\norigin: ${dashboard.base}\r\ncookie: ${admin.cookie}\r\ncontent-type: application/json\r\ncontent-length: ${most + 1}\r\n\r\n{`,
      )
      expect(answer, path).toMatch(/^HTTP\/1\.1 (429|413)/)
    }
  })

  it('that come letter by letter are given up: no first byte, slow headers, slow body', async () => {
    const { certificate: cert, key } = dashboard.rooms.authority.https()
    const listener = createListener(
      (request, response) => {
        limitBodyTime(request, 200)
        request.resume().on('end', () => response.end('whole'))
      },
      { cert, key },
      { firstByteMs: 200, headersMs: 200 },
    )
    const base = `http://127.0.0.1:${await listener.listen(0, '127.0.0.1')}`
    expect(await raw('', 'http', base)).toBe('')
    expect(await raw('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ', 'http', base)).toMatch(/^HTTP\/1\.1 408/)
    expect(await raw('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ', 'tls', base)).toMatch(/^HTTP\/1\.1 408/)
    expect(await raw('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nab', 'http', base)).toBe('')
    expect(await raw(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n${close}\r\nab`, 'http', base)).toContain('whole')
    await listener.close()
  })
})

describe('sockets', () => {
  it('agree to no compression, so that a small frame stays small', async () => {
    const { head, socket } = await upgrade({
      origin: dashboard.base,
      cookie: admin.cookie,
      'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
    })
    expect(head).toMatch(/^HTTP\/1\.1 101/)
    expect(head).not.toMatch(/sec-websocket-extensions/i)
    // A frame that says it is compressed all the same (RSV1, masked, one byte) is an error.
    socket.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x33]))
    await once(socket, 'close')
  })

  it('of a length beyond the limit are cut off at the header, before anything is kept', async () => {
    const { socket } = await upgrade({ origin: dashboard.base, cookie: admin.cookie })
    // Text, masked, 64-bit length of 1 GiB, no payload yet.
    socket.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]))
    await once(socket, 'close')
  })

  it('are refused with the origin of another site, and given up when they enter nothing', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      const { head, socket } = await upgrade({ origin, cookie: admin.cookie })
      expect(head, origin).toMatch(/^HTTP\/1\.1 4\d\d/)
      socket.destroy()
    }
    const { head } = await upgrade({})
    expect(head).toMatch(/^HTTP\/1\.1 4\d\d/)
  })

  it('by the thousand are held, bounded for each person, and leave nothing when they go', async () => {
    const person = await addPerson(dashboard, admin, 'thousand', [{ scope: '*', role: 'viewer' }])
    const before = dashboard.gateway.count()
    const open: Socket[] = []
    const refused: string[] = []
    for (let round = 0; round < 20; round += 1)
      await Promise.all(
        Array.from({ length: 50 }, () =>
          person.socket('/dashboard').then(
            (socket) => open.push(socket),
            (error: Error) => refused.push(error.message),
          ),
        ),
      )
    expect(open.length).toBe(500)
    expect(new Set(refused)).toEqual(new Set(['you have 500 live views open; close some tabs']))
    // Everybody else is served.
    expect((await admin.query('me.get')).error).toBeNull()
    const other = await admin.socket('/dashboard')
    other.disconnect()
    for (const socket of open) socket.disconnect()
    await until(() => dashboard.gateway.count() <= before, 'every connection to be gone')
    const again = await person.socket('/dashboard')
    again.disconnect()
  })

  it('end when the session or the token behind them has expired, with all that is open there', async () => {
    const person = await addPerson(dashboard, admin, 'ember', [{ scope: '*', role: 'developer' }])
    const { token, info } = (await person.mutate('tokens.create', { name: 'ci', scope: host, role: 'viewer', days: 1 })).data as {
      token: string
      info: { id: string }
    }
    const program = new Browser(dashboard.base)
    const byToken = await program.socket(`/hosts/${host}`, { authorization: `Bearer ${token}` })
    // The token's own limit holds on its socket, too.
    expect(await ask(byToken, 'terminal.open', { stream: 't', target: { exec: 'e' } })).toMatchObject({
      ok: false,
      error: { code: 'permission_denied', message: expect.stringContaining('"shell"') },
    })
    const bySession = await person.socket(`/hosts/${host}`)
    expect(await ask(bySession, 'terminal.open', { stream: 't', target: { exec: 'e' } })).toMatchObject({ ok: true })
    await dashboard.gateway.endExpired()
    expect([byToken.connected, bySession.connected]).toEqual([true, true])

    const closed = agent.seen.closed.length
    const ends = [byToken, bySession].map((socket) => new Promise((resolve) => socket.once('disconnect', resolve)))
    const past = new Date(Date.now() - 1000)
    await dashboard.database.apiToken.update({ where: { id: info.id }, data: { expiresAt: past } })
    await dashboard.database.session.updateMany({ where: { personId: person.id }, data: { expiresAt: past } })
    await dashboard.gateway.endExpired()
    await Promise.all(ends)
    await until(() => agent.seen.closed.length > closed, 'the terminal at the agent to be let go')
    await expect(person.socket(`/hosts/${host}`)).rejects.toThrow(/sign in|ended/)
    await expect(program.socket(`/hosts/${host}`, { authorization: `Bearer ${token}` })).rejects.toThrow(/expired/)
  })

  it('that a browser does not read any more are cut off, and the server keeps nothing for them', async () => {
    const person = await addPerson(dashboard, admin, 'sleepy', [{ scope: '*', role: 'developer' }])
    const socket = await person.socket(`/hosts/${host}`)
    await ask(socket, 'terminal.open', { stream: 'flood', target: { exec: 'e' } })
    const gone = dashboard.gateway.count() - 1
    const under = (socket.io.engine.transport as unknown as { ws: { _socket: NetSocket } }).ws._socket
    under.pause()
    // A rogue agent that minds no credit.
    for (let n = 0; n < 64; n += 1) agent.say('terminal.output', Buffer.alloc(512 * 1024, n))
    await until(() => dashboard.gateway.count() <= gone, 'the connection to be given up')
    socket.disconnect()
    under.destroy()
  })

  it('to an agent that reads nothing take only so much typing', async () => {
    const socket = await admin.socket(`/hosts/${host}`)
    await ask(socket, 'terminal.open', { stream: 'deaf', target: { exec: 'e' } })
    agent.deaf = true
    const answers: { ok: boolean; error?: { code: string } }[] = []
    for (let n = 0; n < 8; n += 1) void ask(socket, 'terminal.input', 'deaf', Buffer.alloc(131_072)).then((answer) => answers.push(answer))
    await until(() => answers.length === 4, 'the refusals')
    expect(answers.map((answer) => answer.error?.code)).toEqual(Array(4).fill('resource_exhausted'))
    agent.deaf = false
    socket.disconnect()
  })
})

it('sends small answers of plain servers whole', async () => {
  // The helper itself, so that an empty answer above means what it says.
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\n${close}\r\n`, 'http', `http://127.0.0.1:${port}`)).toContain('hello')
  server.close()
})
