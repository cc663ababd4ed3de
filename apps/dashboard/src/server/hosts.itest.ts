import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openData } from './data/database.ts'
import { type Authority, openAuthority } from './hosts/authority.ts'
import { issueOutOfTime } from './hosts/certificate.fixture.ts'
import { makeRequest } from './hosts/certificate-request.fixture.ts'
import { tlsOptionsFor } from './links/tls-identity.ts'
import { AgentInNamespace } from './testing/agent-in-namespace.fixture.ts'
import { addPerson, ask, type Browser, openTestDashboard, setUp, type TestDashboard, until } from './testing/dashboard.fixture.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Three real agents in three network namespaces, one dashboard in this one. */
const prefix = `d${randomBytes(2).toString('hex')}`
let dashboard: TestDashboard
let admin: Browser
let agents: AgentInNamespace[] = []
const ids: string[] = []

const stateOf = (id: string) => dashboard.rooms.links.find(id)?.state
const becomes = (id: string, state: string, ms = 45_000) => until(() => stateOf(id)?.state === state, `host ${id} to be ${state}`, ms)
const tlsBase = (agent: AgentInNamespace) => `https://${agent.gateway}:${dashboard.port}`
async function prepare(input: object = {}): Promise<{ token: string; fingerprint: string }> {
  return (await admin.mutate('hosts.prepareJoin', input)).data as { token: string; fingerprint: string }
}
function command(id: string, procedure: string, input: unknown) {
  return admin.call('POST', `/api/hosts/${id}/trpc/${procedure}`, input)
}

beforeAll(async () => {
  dashboard = await openTestDashboard(undefined, { BERTH_HOST: '0.0.0.0' } as unknown as NodeJS.ProcessEnv)
  admin = await setUp(dashboard)
  agents = [1, 2, 3].map((n) => new AgentInNamespace(prefix, n, n === 3 ? { BERTH_POLICY: 'no-exec' } : {}))
  await Promise.all(agents.map((agent) => agent.start()))
})
afterAll(async () => {
  for (const agent of agents) await agent.destroy()
  await dashboard.end()
})

describe('enrolment', () => {
  it('goes over TLS from another machine: plain HTTP gets a sentence, and the token is not spent', async () => {
    const [agent] = agents as [AgentInNamespace]
    const { token, fingerprint } = await prepare({ name: 'host-1' })
    const plain = await agent.join(`http://${agent.gateway}:${dashboard.port}`, token, fingerprint)
    expect(plain.status).not.toBe(0)
    expect(plain.text).toContain('use https://')
    const joined = await agent.join(tlsBase(agent), token, fingerprint)
    expect(joined.text).toContain('This host is now')
    expect(joined.status).toBe(0)
    const twice = await agent.join(tlsBase(agent), token, fingerprint)
    expect(twice.text).toContain('used already')
    ids[0] = dashboard.rooms.hosts.list().find((host) => host.name === 'host-1')?.id as string
    await becomes(ids[0], 'online')
    expect(dashboard.rooms.hosts.get(ids[0]).address).toBe(agent.address)
  })

  it('does not believe an authority with another fingerprint', async () => {
    const [, agent] = agents as [AgentInNamespace, AgentInNamespace]
    const { token } = await prepare()
    const refused = await agent.join(tlsBase(agent), token, `sha256:${'0'.repeat(64)}`)
    expect(refused.status).not.toBe(0)
    expect(refused.text).toMatch(/fingerprint/)
    // The dashboard took the host in; the host did not believe it. Nobody can speak to it, and it is removed.
    const stray = dashboard.rooms.hosts.list().find((host) => host.id !== ids[0])
    expect(stray && stateOf(stray.id)?.state).not.toBe('online')
    await admin.mutate('hosts.remove', { host: stray?.id })
  })

  it('takes the others in too, and lists run across all of them', async () => {
    for (const [index, agent] of agents.entries()) {
      if (index === 0) continue
      const { token, fingerprint } = await prepare({ name: `host-${index + 1}` })
      expect((await agent.join(tlsBase(agent), token, fingerprint)).text).toContain('This host is now')
      ids[index] = dashboard.rooms.hosts.list().find((host) => host.name === `host-${index + 1}`)?.id as string
      await becomes(ids[index] as string, 'online')
    }
    for (const [index, id] of ids.entries()) expect((await command(id, 'volumes.create', { name: `data-${index + 1}` })).error).toBeNull()
    const merged = await until(async () => {
      const list = (await admin.query('fleet.volumes')).data as { hosts: { state: string }[]; items: { name: string; hostName: string }[] }
      return list.items.length === 3 ? list : null
    }, 'three volumes')
    expect(merged.items.map((item) => [item.hostName, item.name]).sort()).toEqual([
      ['host-1', 'data-1'],
      ['host-2', 'data-2'],
      ['host-3', 'data-3'],
    ])
    expect(merged.hosts.map((host) => host.state)).toEqual(['online', 'online', 'online'])
  })
})

describe('what a host lets in', () => {
  let stranger: Authority
  let strangerEnd: () => Promise<void>
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-stranger-'))
    const data = await openData(folder, join(import.meta.dirname, '../../../../prisma/sqlite/migrations'))
    stranger = await openAuthority(data)
    strangerEnd = async () => {
      await data.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
  afterAll(() => strangerEnd())

  /** HTTP status, or why there was none. */
  function dial(options: { cert?: string; key?: string; claim?: string; path?: string }): Promise<number | string> {
    const [agent] = agents as [AgentInNamespace]
    const host = dashboard.rooms.hosts.get(ids[0] as string)
    const tls = tlsOptionsFor(host, dashboard.rooms.authority)
    return new Promise((resolve) => {
      const asked = httpsRequest(
        {
          ...tls,
          cert: options.cert,
          key: options.key,
          host: agent.address,
          port: agent.port,
          path: options.path ?? '/trpc/system.info',
          headers: options.claim ? { 'x-berth-claim': options.claim } : {},
          timeout: 5_000,
        },
        (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
      asked.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message))
      asked.on('timeout', () => asked.destroy(new Error('timeout')))
      asked.end()
    })
  }
  const claimFor = (authority: Authority, change: object = {}) =>
    authority.signClaim({
      host: ids[0] as string,
      user: 'u',
      userName: 'U',
      role: 'admin',
      expires: Math.floor(Date.now() / 1000) + 30,
      from: '',
      ...change,
    })

  it('is this dashboard with a fresh claim of its own, and nobody else', async () => {
    const { authority } = dashboard.rooms
    const own = { cert: authority.client().certificate, key: authority.client().key }
    expect(await dial({ ...own, claim: claimFor(authority) })).toBe(200)
    expect(await dial({ ...own })).toBe(403)
    expect(await dial({ ...own, claim: claimFor(stranger) })).toBe(403)
    expect(await dial({ ...own, claim: claimFor(authority, { host: ids[1] }) })).toBe(403)
    expect(await dial({ ...own, claim: claimFor(authority, { expires: Math.floor(Date.now() / 1000) - 120 }) })).toBe(403)
    expect(await dial({ ...own, claim: claimFor(authority, { expires: Math.floor(Date.now() / 1000) + 3_600 }) })).toBe(403)
  })

  it('is no rogue: no certificate, one of a foreign authority, one of another host', async () => {
    const { authority } = dashboard.rooms
    const claim = claimFor(authority)
    expect(await dial({ claim })).not.toBe(200)
    expect(await dial({ cert: stranger.client().certificate, key: stranger.client().key, claim })).not.toBe(200)
    const { csr, key } = await makeRequest('a host')
    const agents = await authority.certifyAgent(csr, ids[1] as string)
    expect(await dial({ cert: agents.certificate, key, claim })).not.toBe(200)
    expect(await dial({ cert: authority.https().certificate, key: authority.https().key, claim })).not.toBe(200)
    const day = 86_400_000
    const client = { usage: 'client', name: 'berth-dashboard' } as const
    const of = (from: number, to: number) =>
      issueOutOfTime(dashboard.data, { ...client, from: new Date(Date.now() + from * day), to: new Date(Date.now() + to * day) })
    for (const [from, to, wanted] of [
      [-400, -1, false],
      [1, 400, false],
      [-1, 1, true],
    ] as const) {
      const { certificate, key } = await of(from, to)
      expect((await dial({ cert: certificate, key, claim })) === 200, `${from} to ${to}`).toBe(wanted)
    }
  })

  it('obeys the policy of the host, whatever the role', async () => {
    const refused = await command(ids[2] as string, 'exec.create', { container: 'x', options: { cmd: ['sh'] } })
    expect(refused.error).toMatchObject({ code: 'permission_denied', message: expect.stringContaining("host's policy") })
  })
})

describe('a container through the whole way', () => {
  let container: string
  let socket: Socket
  const sockets: Socket[] = []
  afterAll(async () => {
    for (const one of sockets) one.disconnect()
    await command(ids[0] as string, 'containers.remove', { container, force: true })
    await command(ids[0] as string, 'images.remove', { image: 'busybox:test', force: true })
  })

  it('is made from an uploaded archive, started, followed and typed into', async () => {
    const id = ids[0] as string
    const folder = mkdtempSync(join(tmpdir(), 'berth-rootfs-'))
    mkdirSync(join(folder, 'bin'))
    copyFileSync('/bin/busybox', join(folder, 'bin/busybox'))
    for (const name of ['sh', 'sleep', 'cat', 'echo', 'stty', 'yes', 'head'])
      execFileSync('ln', ['-s', 'busybox', join(folder, 'bin', name)])
    writeFileSync(join(folder, 'marker'), 'here')
    const tar = execFileSync('tar', ['-C', folder, '-cf', '-', '.'], { maxBuffer: 1 << 28 })
    rmSync(folder, { recursive: true })
    const upload = await fetch(`${dashboard.base}/api/hosts/${id}/data/images/import?reference=busybox:test`, {
      method: 'POST',
      headers: { cookie: admin.cookie, origin: dashboard.base, 'content-type': 'application/x-tar' },
      body: new Uint8Array(tar),
    })
    expect(upload.status).toBeLessThan(300)
    await until(async () => {
      const list = (await admin.call('GET', `/api/hosts/${id}/trpc/images.list`)).data as { tags: string[] }[]
      return list.some((image) => image.tags.includes('busybox:test')) ? list : null
    }, 'the image')

    const options = { image: 'busybox:test', cmd: ['/bin/sh', '-c', 'n=0; while true; do echo line $n; n=$((n+1)); sleep 0.05; done'] }
    const created = await command(id, 'containers.create', { name: 'talker', options })
    expect(created.error).toBeNull()
    container = (created.data as { id: string }).id
    expect((await command(id, 'containers.start', { container })).error).toBeNull()

    socket = await admin.socket(`/hosts/${id}`)
    sockets.push(socket)
    const lines: string[] = []
    socket.on('logs.batch', (_stream: string, records: { text: string }[], ack: () => void) => {
      lines.push(...records.map((record) => record.text))
      ack()
    })
    expect(await ask(socket, 'logs.open', { stream: 'l', container, tail: null })).toMatchObject({ ok: true })
    await until(() => lines.includes('line 20'), 'twenty lines')
    expect(lines.slice(0, 21)).toEqual(Array.from({ length: 21 }, (_, n) => `line ${n}`))

    const samples: { containers: { id: string }[]; host: unknown }[] = []
    socket.on('stats.items', (_stream: string, items: (typeof samples)[number]) => samples.push(items))
    expect(await ask(socket, 'stats.open', { stream: 's', containers: 'all', host: true })).toMatchObject({ ok: true })
    await until(() => samples.some((items) => items.containers.some((one) => one.id === container) && items.host), 'numbers')
  })

  it('carries 100 MB of a terminal byte for byte, and never more than was granted', async () => {
    const id = ids[0] as string
    const total = 100_000_000
    // One with a length that no buffer on the way has; the terminal changes nothing in it.
    const pattern = Buffer.from('界🚢0123456789abcdef\n')
    const script = `stty raw -echo; yes '${pattern.toString().trimEnd()}' | head -c ${total}`
    const options = { cmd: ['/bin/sh', '-c', script], terminal: true }
    const exec = (await command(id, 'exec.create', { container, options })).data as { id: string }
    const terminal = await admin.socket(`/hosts/${id}`)
    sockets.push(terminal)
    const expected = Buffer.concat(Array.from({ length: 8_000 }, () => pattern))
    let granted = 131_072
    let received = 0
    let gathered = 0
    const wrong: string[] = []
    let rests = 0
    terminal.on('terminal.output', (stream: string, bytes: Uint8Array) => {
      const chunk = Buffer.from(bytes)
      const at = received % pattern.length
      if (!chunk.equals(expected.subarray(at, at + chunk.length))) wrong.push(`bytes at ${received}`)
      received += chunk.length
      gathered += chunk.length
      if (received > granted) wrong.push(`${received - granted} bytes more than were granted at ${received}`)
      if (gathered < 16_384) return
      const grant = () => {
        granted += gathered
        terminal.emit('terminal.credit', stream, gathered)
        gathered = 0
      }
      // A page that is slow at times: what it has not granted does not come meanwhile.
      if (received < rests * 10_000_000) grant()
      else {
        rests += 1
        setTimeout(grant, 50)
      }
    })
    const exit = new Promise<{ exitCode: number }>((resolve) =>
      terminal.on('terminal.exit', (_stream: string, how: { exitCode: number }) => resolve(how)),
    )
    expect(await ask(terminal, 'terminal.open', { stream: 'flood', target: { exec: exec.id } })).toMatchObject({ ok: true })
    expect(await exit).toMatchObject({ exitCode: 0 })
    expect(wrong).toEqual([])
    expect(received).toBe(total)
    terminal.disconnect()
  })

  it('keeps its terminal and its log through the death of the agent, without a line lost or doubled', async () => {
    const id = ids[0] as string
    const developer = await addPerson(dashboard, admin, 'dev', [{ scope: id, role: 'developer' }])
    const exec = (await command(id, 'exec.create', { container, options: { cmd: ['/bin/sh'], terminal: true, attachStdin: true } }))
      .data as { id: string }
    const terminal = await developer.socket(`/hosts/${id}`)
    sockets.push(terminal)
    let screen = ''
    const see = (_stream: string, bytes: Uint8Array) => {
      screen += Buffer.from(bytes).toString()
    }
    terminal.on('terminal.output', see)
    terminal.on('terminal.replay', see)
    const lost: unknown[] = []
    terminal.on('stream.end', (_stream: string, reason: string) => lost.push(reason))
    expect(await ask(terminal, 'terminal.open', { stream: 't1', target: { exec: exec.id } })).toMatchObject({ ok: true })
    expect(await ask(terminal, 'terminal.input', 't1', Buffer.from('echo before-$((40+2)); state=kept\n'))).toMatchObject({ ok: true })
    await until(() => screen.includes('before-42'), 'the answer of the shell')

    const agent = agents[0] as AgentInNamespace
    const texts: { offset: number; text: string }[] = []
    const follow = await admin.socket(`/hosts/${id}`)
    sockets.push(follow)
    let next: number | undefined
    follow.on('logs.batch', (_stream: string, records: { offset: number; next: number; text: string }[], ack: () => void) => {
      texts.push(...records)
      next = records.at(-1)?.next
      ack()
    })
    expect(await ask(follow, 'logs.open', { stream: 'f1', container, tail: null })).toMatchObject({ ok: true })
    await until(() => texts.length > 20, 'lines before')
    await agent.kill()
    await becomes(id, 'away')
    await until(() => lost.includes('lost'), 'the terminal to be told')
    expect((await command(id, 'containers.stop', { container })).error?.code).toBe('unavailable')
    await agent.start()
    await becomes(id, 'online')

    screen = ''
    expect(await ask(terminal, 'terminal.open', { stream: 't2', target: { exec: exec.id } })).toMatchObject({ ok: true })
    expect(await ask(terminal, 'terminal.input', 't2', Buffer.from('echo after-$state\n'))).toMatchObject({ ok: true })
    await until(() => screen.includes('after-kept'), 'the same shell')
    expect(screen).toContain('before-42')

    expect(await ask(follow, 'logs.open', { stream: 'f2', container, tail: null, fromOffset: next })).toMatchObject({ ok: true })
    const resumed = texts.length
    await until(() => texts.length > resumed + 10, 'lines after')
    const numbers = texts.map((record) => Number(record.text.split(' ')[1]))
    expect(numbers).toEqual(numbers.map((_, index) => index))

    const ended = new Promise<unknown[]>((resolve) => terminal.on('stream.end', (...args: unknown[]) => args[0] === 't2' && resolve(args)))
    await admin.mutate('people.setGrants', { person: developer.id, grants: [{ scope: id, role: 'operator' }] })
    expect((await ended)[1]).toBe('denied')
  })
})

describe('a host that goes', () => {
  it('is away within ten seconds when its cable is pulled, nothing hangs, and it comes back by itself', async () => {
    const [, agent] = agents as [AgentInNamespace, AgentInNamespace]
    const id = ids[1] as string
    agent.setCable(false)
    const waiting = admin.call('GET', `/api/hosts/${id}/trpc/system.info`)
    await becomes(id, 'away')
    const { since, lastSeenAt } = stateOf(id) as { since: string; lastSeenAt: string }
    expect(Date.parse(since) - Date.parse(lastSeenAt)).toBeLessThanOrEqual(10_000)
    expect((await waiting).error?.code).toBe('unavailable')
    const view = (await admin.query('hosts.get', { host: id })).data as {
      state: string
      lastSeenAt: string
      system: unknown
      point: unknown
    }
    expect(view).toMatchObject({ state: 'away', lastSeenAt, point: null, system: { hostname: expect.any(String) } })
    const merged = (await admin.query('fleet.volumes')).data as {
      hosts: { host: string; error: string | null }[]
      items: { name: string }[]
    }
    expect(merged.items.map((item) => item.name).sort()).toEqual(['data-1', 'data-2', 'data-3'])
    expect(merged.hosts.find((host) => host.host === id)?.error).toContain('away')
    agent.setCable(true)
    await becomes(id, 'online')
  })

  it('is away within ten seconds too when packets only vanish, streams are told, and it comes back by itself', async () => {
    const [, agent] = agents as [AgentInNamespace, AgentInNamespace]
    const id = ids[1] as string
    const socket = await admin.socket(`/hosts/${id}`)
    expect(await ask(socket, 'stats.open', { stream: 's', containers: 'all', host: true })).toMatchObject({ ok: true })
    const ended = new Promise<unknown[]>((resolve) => socket.once('stream.end', (...args: unknown[]) => resolve(args)))
    agent.setDropping(true)
    const waiting = admin.call('GET', `/api/hosts/${id}/trpc/system.info`)
    await becomes(id, 'away')
    const { since, lastSeenAt } = stateOf(id) as { since: string; lastSeenAt: string }
    expect(Date.parse(since) - Date.parse(lastSeenAt)).toBeLessThanOrEqual(10_000)
    expect((await waiting).error?.code).toBe('unavailable')
    expect((await ended)[1]).toBe('lost')
    agent.setDropping(false)
    await becomes(id, 'online')
    expect(await ask(socket, 'stats.open', { stream: 's2', containers: 'all', host: true })).toMatchObject({ ok: true })
    socket.disconnect()
  })

  it('gets a new certificate while it is online', async () => {
    const id = ids[1] as string
    const before = dashboard.rooms.hosts.get(id).serial
    expect((await admin.mutate('hosts.renew', { host: id })).error).toBeNull()
    expect(dashboard.rooms.hosts.get(id).serial).not.toBe(before)
    await until(
      async () => (await admin.call('GET', `/api/hosts/${id}/trpc/system.info`)).error === null,
      'the agent with its new certificate',
    )
  })

  it('is cut off at once when it is revoked, and may join again with a token for it', async () => {
    const [, , agent] = agents as [AgentInNamespace, AgentInNamespace, AgentInNamespace]
    const id = ids[2] as string
    await admin.mutate('hosts.revoke', { host: id })
    expect(stateOf(id)?.state).toBe('revoked')
    expect((await command(id, 'volumes.create', { name: 'never' })).error?.code).toBe('unavailable')
    const other = await prepare()
    expect((await agent.join(tlsBase(agent), other.token, other.fingerprint)).text).toContain('already')
    const again = await prepare({ host: id })
    expect((await agent.join(tlsBase(agent), again.token, again.fingerprint)).text).toContain('This host is now')
    await becomes(id, 'online')
    expect(dashboard.rooms.hosts.get(id).name).toBe('host-3')
  })

  it('leaves an audit that is whole', async () => {
    const verdict = (await admin.query('audit.verify')).data as { ok: boolean; checked: number }
    expect(verdict.ok).toBe(true)
    const { records } = (await admin.query('audit.list', { limit: 500 })).data as { records: { action: string }[] }
    for (const action of [
      'host.joined',
      'volumes.create',
      'containers.create',
      'terminal.open',
      'data.POST images/import',
      'hosts.revoke',
      'hosts.renew',
    ])
      expect(records.map((record) => record.action)).toContain(action)
  })
})
