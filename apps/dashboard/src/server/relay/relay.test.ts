/** The relay between browsers and agents, over simulated agents that speak the real wire. Long because all parts share three agents, which take seconds to enrol. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { issueOutOfTime } from '../hosts/certificate.fixture.ts'
import { makeRequest } from '../hosts/certificate-request.fixture.ts'
import { addPerson, ask, Browser, joinToken, openTestDashboard, setUp, type TestDashboard, until } from '../testing/dashboard.fixture.ts'
import { enrol, type SimulatedAgent, simulateAgent } from '../testing/simulated-agent.fixture.ts'

// Real key derivation and real handshakes: generous on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let dashboard: TestDashboard
let admin: Browser
let agent: SimulatedAgent
let host: string

const stateOf = (id: string) => dashboard.rooms.links.find(id)?.state
const online = (id: string) => until(() => stateOf(id)?.state === 'online', `host ${id} to be online`)

beforeAll(async () => {
  dashboard = await openTestDashboard()
  admin = await setUp(dashboard)
  agent = await simulateAgent({ base: dashboard.base, token: await joinToken(admin, { name: 'alpha' }), script: { containers: 3 } })
  host = agent.hostId
  await online(host)
})
afterAll(async () => {
  await agent.stop()
  await dashboard.end()
})

describe('joining', () => {
  it('takes a token once, however many use it at the same instant', async () => {
    const token = await joinToken(admin)
    const { csr } = await makeRequest('twins')
    const body = { token, csr, hostname: 'twin', port: 1, address: '127.0.0.1', agentVersion: '0' }
    const answers = await Promise.all([1, 2, 3].map((n) => enrol(dashboard.base, { ...body, engineId: `twin-${n}` })))
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403, 403])
    const id = answers.find((answer) => answer.status === 200)?.body.hostId as string
    expect((await enrol(dashboard.base, { ...body, engineId: 'late' })).body.message).toMatch(/used already/)
    await admin.mutate('hosts.remove', { host: id })
  })

  it('refuses a token that was withdrawn, has expired or was never made, and says so', async () => {
    const { csr } = await makeRequest('x')
    const body = { csr, hostname: 'x', port: 1, engineId: 'x', agentVersion: '0' }
    expect((await enrol(dashboard.base, { ...body, token: 'join_never_made_by_anybody' })).body.message).toMatch(/not known/)
    const { token, join } = (await admin.mutate('hosts.prepareJoin', {})).data as { token: string; join: { id: string } }
    await admin.mutate('hosts.cancelJoin', { join: join.id })
    expect((await enrol(dashboard.base, { ...body, token })).body.message).toMatch(/not known/)
    const late = await dashboard.rooms.enrolment.createToken({ minutes: -1, createdBy: 'test' })
    expect((await enrol(dashboard.base, { ...body, token: late.token })).body.message).toMatch(/expired/)
  })

  it('does not spend the token on a request that is no good', async () => {
    const token = await joinToken(admin)
    const body = { token, hostname: 'y', port: 1, engineId: 'y', agentVersion: '0', address: '127.0.0.1' }
    expect((await enrol(dashboard.base, { ...body, csr: 'nonsense' })).status).toBe(400)
    expect((await enrol(dashboard.base, { ...body, csr: (await makeRequest('y')).csr, address: 'a b;c' })).status).toBe(400)
    const good = await enrol(dashboard.base, { ...body, csr: (await makeRequest('y')).csr })
    expect(good.status).toBe(200)
    await admin.mutate('hosts.remove', { host: good.body.hostId })
  })

  it("does not let a host take another's place by claiming to be it", async () => {
    const engineId = dashboard.rooms.hosts.get(host).engineId
    const answer = await enrol(dashboard.base, {
      token: await joinToken(admin),
      csr: (await makeRequest('z')).csr,
      hostname: 'z',
      port: 1,
      engineId,
      agentVersion: '0',
      address: '127.0.0.1',
    })
    expect(answer.status).toBe(409)
    expect(dashboard.rooms.hosts.get(host).port).toBe(agent.port)
  })
})

describe('a token for a host that joins again', () => {
  it('is of no use to another host that is known already, and is not spent by the attempt', async () => {
    const other = await simulateAgent({ base: dashboard.base, token: await joinToken(admin), name: 'other' })
    const token = await joinToken(admin, { host })
    const body = { token, csr: (await makeRequest('other')).csr, hostname: 'other', port: 1, agentVersion: '0', address: '127.0.0.1' }
    const refused = await enrol(dashboard.base, { ...body, engineId: dashboard.rooms.hosts.get(other.hostId).engineId })
    expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('"other" already')])
    expect(dashboard.rooms.hosts.get(host).port).toBe(agent.port)
    await other.stop()
    await admin.mutate('hosts.remove', { host: other.hostId })
  })
})

describe('a certificate', () => {
  it('of another authority, of another host, or of another key is not spoken to', async () => {
    const stranger = await openTestDashboard()
    const strangerAdmin = await setUp(stranger)
    const foreign = await simulateAgent({ base: stranger.base, token: await joinToken(strangerAdmin) })
    await foreign.stop()
    const victim = await simulateAgent({ base: dashboard.base, token: await joinToken(admin), name: 'victim' })
    await online(victim.hostId)
    const { key, csr } = await makeRequest('other key')
    const strangers = await stranger.rooms.authority.certifyAgent(csr, victim.hostId)
    const otherHost = await dashboard.rooms.authority.certifyAgent(csr, 'ffffffffffffffff')
    const otherKey = await dashboard.rooms.authority.certifyAgent(csr, victim.hostId)
    for (const [certificate, why] of [
      [strangers.certificate, /not certified by this dashboard/],
      [otherHost.certificate, /certificate of another host/],
      [otherKey.certificate, /not the one it joined with/],
    ] as const) {
      await victim.stop()
      await victim.start({ certificate, key })
      await until(() => why.test(stateOf(victim.hostId)?.message ?? ''), `the refusal ${why}`).catch((error) => {
        throw new Error(`${error.message}; it said: ${stateOf(victim.hostId)?.message}`)
      })
      expect(stateOf(victim.hostId)?.state).toBe('away')
    }
    await victim.stop()
    await victim.start()
    await online(victim.hostId)
    await victim.stop()
    await admin.mutate('hosts.remove', { host: victim.hostId })
    await stranger.end()
  })
})

describe('time', () => {
  const day = 86_400_000
  afterEach(() => {
    vi.useRealTimers()
  })

  it('that has run out for a certificate, or has not come, makes it worth nothing: the host is away and says why', async () => {
    const late = await simulateAgent({ base: dashboard.base, token: await joinToken(admin), name: 'late' })
    await online(late.hostId)
    const name = `${late.hostId}.berth`
    const mine = { usage: 'server', name, publicKeySpki: late.publicKeySpki } as const
    const now = Date.now()
    const expired = await issueOutOfTime(dashboard.data, { ...mine, from: new Date(now - 90 * day), to: new Date(now - 60_000) })
    const early = await issueOutOfTime(dashboard.data, { ...mine, from: new Date(now + day), to: new Date(now + 90 * day) })
    for (const [{ certificate }, why] of [
      [expired, /certificate has expired; let the host join again/],
      [early, /not yet valid|NOT_YET_VALID|clock/],
    ] as const) {
      await late.stop()
      await late.start({ certificate })
      await until(() => why.test(stateOf(late.hostId)?.message ?? ''), `the refusal ${why}`).catch((error) => {
        throw new Error(`${error.message}; it said: ${stateOf(late.hostId)?.message}`)
      })
      expect(stateOf(late.hostId)?.state).toBe('away')
    }
    // The same key with a certificate of today is spoken to.
    const good = await issueOutOfTime(dashboard.data, { ...mine, from: new Date(now - day), to: new Date(now + day) })
    await late.stop()
    await late.start(good.certificate ? { certificate: good.certificate } : {})
    await online(late.hostId)
    await late.stop()
    await admin.mutate('hosts.remove', { host: late.hostId })
  })

  it('that passes renews a certificate by itself, long before it ends and not earlier, and the renewal is recorded', async () => {
    const aging = await simulateAgent({ base: dashboard.base, token: await joinToken(admin), name: 'aging' })
    await online(aging.hostId)
    const asked = (path: string) => aging.seen.requests.filter((request) => request.path === path).length
    const real = Date.now()
    const first = dashboard.rooms.hosts.get(aging.hostId)
    expect(first.certificateEnd.getTime() - real).toBeGreaterThan(80 * day)

    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(real + 40 * day)
    const infos = asked('/trpc/system.info')
    await until(() => asked('/trpc/system.info') > infos, 'the daily look at the host')
    expect(asked('/identity/csr')).toBe(0)

    vi.setSystemTime(real + 61 * day)
    await until(() => dashboard.rooms.hosts.get(aging.hostId).serial !== first.serial, 'the renewal')
    const renewed = dashboard.rooms.hosts.get(aging.hostId)
    expect([asked('/identity/csr'), asked('/identity/certificate')]).toEqual([1, 1])
    expect(renewed.certificateEnd.getTime()).toBeGreaterThan(real + 140 * day)
    expect(renewed.keyFingerprint).toBe(first.keyFingerprint)
    expect(stateOf(aging.hostId)?.state).toBe('online')
    vi.useRealTimers()
    await until(
      async () => ((await admin.query('audit.list', { action: 'host.renewed' })).data as { records: unknown[] }).records.length > 0,
      'the line in the audit',
    )
    await aging.stop()
    await admin.mutate('hosts.remove', { host: aging.hostId })
  })
})

describe('procedures', () => {
  it('reach the agent as they are, with a claim that says who asks and how strong they are there', async () => {
    const operator = await addPerson(dashboard, admin, 'olga', [{ scope: host, role: 'operator' }])
    const answer = await operator.call('POST', `/api/hosts/${host}/trpc/containers.stop`, { container: 'web', timeoutSeconds: 3 })
    expect(answer.status).toBe(200)
    const last = agent.seen.requests.at(-1)
    expect(last).toMatchObject({
      path: '/trpc/containers.stop',
      claim: { host, user: operator.id, userName: 'olga', role: 'operator', from: '127.0.0.1' },
    })
    expect(JSON.parse(last?.body ?? '')).toEqual({ container: 'web', timeoutSeconds: 3 })
    expect((last?.claim?.expires ?? 0) - Date.now() / 1000).toBeLessThanOrEqual(60)
    const { records } = (await admin.query('audit.list', { action: 'containers.stop' })).data as { records: unknown[] }
    expect(records[0]).toMatchObject({ personName: 'olga', hostId: host, hostName: 'alpha', subject: 'web', outcome: 'ok' })
  })

  it('are recorded by the name of what they are about, as far as it is known; the detail keeps the id', async () => {
    const id = '1'.padStart(64, '0')
    const unknown = 'f'.repeat(64)
    await admin.query('fleet.containers')
    for (const container of [id, unknown]) await admin.call('POST', `/api/hosts/${host}/trpc/containers.restart`, { container })
    const { records } = (await admin.query('audit.list', { action: 'containers.restart' })).data as { records: { detail: string }[] }
    expect(records.slice(0, 2)).toMatchObject([{ subject: unknown }, { subject: 'container-1' }])
    expect(JSON.parse(records[1]?.detail ?? '')).toEqual({ container: id })
    await admin.call('POST', `/api/hosts/${host}/trpc/images.prune`, { dryRun: true })
    const looked = (await admin.query('audit.list', { action: 'images.prune' })).data as { records: unknown[] }
    expect(looked.records[0]).toMatchObject({ subject: 'dry run' })
    await admin.call('GET', `/api/hosts/${host}/data/files/content?container=${id}&path=/x`)
    const read = (await admin.query('audit.list', { action: 'data.' })).data as { records: unknown[] }
    expect(read.records[0]).toMatchObject({ subject: 'container-1 /x' })
  })

  it('are refused by the table before anything is forwarded, and the refusal is recorded', async () => {
    const viewer = await addPerson(dashboard, admin, 'vera', [{ scope: '*', role: 'viewer' }])
    expect((await viewer.call('POST', `/api/hosts/${host}/trpc/containers.remove`, { container: 'web' })).error).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('"create"'),
    })
    expect(
      (await viewer.call('GET', `/api/hosts/${host}/trpc/containers.list,containers.start?batch=1&input=${encodeURIComponent('{}')}`))
        .status,
    ).toBe(403)
    expect((await viewer.call('GET', `/api/hosts/${host}/trpc/containers.explode`)).status).toBe(404)
    expect((await viewer.call('GET', `/api/hosts/${host}/data/files/content?container=web&path=/etc/shadow`)).error?.code).toBe(
      'permission_denied',
    )
    // The dashboard's own questions to the host may come at any time.
    expect(agent.seen.requests.filter(({ claim }) => claim?.user === viewer.id)).toEqual([])
    const { records } = (await admin.query('audit.list', { action: 'containers.remove' })).data as { records: unknown[] }
    expect(records[0]).toMatchObject({ personName: 'vera', outcome: 'permission_denied' })
  })

  it('are not for somebody without a role on the host, nor without a session', async () => {
    const stranger = await addPerson(dashboard, admin, 'sam', [])
    expect((await stranger.call('GET', `/api/hosts/${host}/trpc/containers.list`)).error?.code).toBe('permission_denied')
    expect((await new Browser(dashboard.base).call('GET', `/api/hosts/${host}/trpc/containers.list`)).error?.code).toBe('unauthenticated')
    expect((await stranger.query('hosts.list')).data).toEqual([])
    expect((await stranger.query('fleet.containers')).data).toEqual({ hosts: [], items: [] })
    await expect(stranger.socket(`/hosts/${host}`)).rejects.toThrow(/no role/)
  })

  it('keep secrets out of the audit', async () => {
    await admin.call('POST', `/api/hosts/${host}/trpc/registries.login`, { server: 'r.example', username: 'u', password: 'hunter2hunter2' })
    await admin.call('POST', `/api/hosts/${host}/trpc/containers.create`, {
      options: { image: 'x', env: ['DB_PASSWORD=hunter2hunter2', 'A=hunter2hunter2'] },
    })
    const { records } = (await admin.query('audit.list', { host })).data as { records: { detail: string }[] }
    expect(JSON.stringify(records)).not.toContain('hunter2')
    expect(JSON.stringify(records)).toContain('DB_PASSWORD=…')
  })
})

describe('bytes', () => {
  it('are a download in a sandbox, whatever type the agent says, and are recorded', async () => {
    const answer = await admin.call('GET', `/api/hosts/${host}/data/files/content?container=web&path=/x.html`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toBe('attachment')
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    const { records } = (await admin.query('audit.list', { action: 'data.' })).data as { records: unknown[] }
    expect(records[0]).toMatchObject({ action: 'data.GET files/content', subject: 'web /x.html', outcome: 'ok' })
  })
})

describe('streams', () => {
  it('end at once when the role that they need is taken away, and nothing more is typed', async () => {
    const developer = await addPerson(dashboard, admin, 'dora', [{ scope: host, role: 'developer' }])
    const socket = await developer.socket(`/hosts/${host}`)
    const end = new Promise<unknown[]>((resolve) => socket.once('stream.end', (...args: unknown[]) => resolve(args)))
    expect(await ask(socket, 'terminal.open', { stream: 't', target: { exec: 'e1' } })).toMatchObject({ ok: true })
    const echo = new Promise<unknown[]>((resolve) => socket.once('terminal.output', (...args: unknown[]) => resolve(args)))
    expect(await ask(socket, 'terminal.input', 't', Buffer.from([0xff, 0x00, 0xe4]))).toEqual({ ok: true, value: null })
    expect(Buffer.from((await echo)[1] as Uint8Array)).toEqual(Buffer.from([0xff, 0x00, 0xe4]))
    expect(agent.seen.opened.findLast((one) => one.event === 'terminal.open')?.claim).toMatchObject({ userName: 'dora', role: 'developer' })

    const inputs = agent.seen.input.length
    await admin.mutate('people.setGrants', { person: developer.id, grants: [{ scope: host, role: 'viewer' }] })
    expect(await end).toEqual(['t', 'denied', { message: expect.stringContaining('"shell"') }])
    expect(await ask(socket, 'terminal.input', 't', Buffer.from('rm -rf /\n'))).toMatchObject({
      ok: false,
      error: { code: 'permission_denied' },
    })
    expect(await ask(socket, 'terminal.open', { stream: 't2', target: { exec: 'e1' } })).toMatchObject({
      ok: false,
      error: { code: 'permission_denied' },
    })
    expect(agent.seen.input.length).toBe(inputs)
    await until(() => agent.seen.closed.length > 0, 'the agent to hear of the end')

    const gone = new Promise((resolve) => socket.once('disconnect', resolve))
    await admin.mutate('people.setGrants', { person: developer.id, grants: [] })
    await gone
    const { records } = (await admin.query('audit.list', { action: 'terminal.open' })).data as { records: { outcome: string }[] }
    expect(records.slice(0, 2).map((record) => record.outcome)).toEqual(['permission_denied', 'ok'])
  })

  it('ask for more before a shell on the host itself', async () => {
    const developer = await addPerson(dashboard, admin, 'dana', [{ scope: '*', role: 'developer' }])
    const socket = await developer.socket(`/hosts/${host}`)
    expect(await ask(socket, 'terminal.open', { stream: 'h', target: { hostConsole: '' } })).toMatchObject({
      ok: false,
      error: { code: 'permission_denied', message: expect.stringContaining('"host-console"') },
    })
    socket.disconnect()
  })

  it('end with the session', async () => {
    const person = await addPerson(dashboard, admin, 'eric', [{ scope: '*', role: 'viewer' }])
    const socket = await person.socket(`/hosts/${host}`)
    const gone = new Promise((resolve) => socket.once('disconnect', resolve))
    await person.mutate('session.signOut')
    await gone
    await expect(person.socket(`/hosts/${host}`)).rejects.toThrow()
  })

  it('are one upstream for all who follow the same log, each record once and in order', async () => {
    agent.logLines(...Array.from({ length: 700 }, (_, n) => `before ${n}`))
    const sockets = await Promise.all([admin.socket(`/hosts/${host}`), admin.socket(`/hosts/${host}`), admin.socket(`/hosts/${host}`)])
    const got: string[][] = [[], [], []]
    for (const [index, socket] of sockets.entries())
      socket.on('logs.batch', (_stream: string, records: { text: string }[], ack: () => void) => {
        got[index]?.push(...records.map((record) => record.text))
        ack()
      })
    const opens = () => agent.seen.opened.filter((one) => one.event === 'logs.open').length
    const before = opens()
    for (const [index, socket] of sockets.entries()) {
      expect(
        await ask(socket, 'logs.open', {
          stream: 'l',
          container: 'web',
          tail: index === 0 ? null : 5,
          ...(index === 2 ? { fromOffset: 0, tail: null } : {}),
        }),
      ).toMatchObject({ ok: true })
      await until(() => got[index]?.includes('before 699'), 'the history')
    }
    for (let n = 0; n < 50; n += 1) agent.logLines(`live ${n}`)
    await until(() => got.every((lines) => lines.includes('live 49')), 'the live lines')
    expect(opens() - before).toBe(1)
    const all = [...Array.from({ length: 700 }, (_, n) => `before ${n}`), ...Array.from({ length: 50 }, (_, n) => `live ${n}`)]
    expect(got[0]).toEqual(all)
    expect(got[1]).toEqual(all.slice(695))
    expect(got[2]).toEqual(all)
    const closed = agent.seen.closed.length
    for (const socket of sockets) socket.disconnect()
    await until(() => agent.seen.closed.length > closed, 'the last reader to close the upstream')
  })

  it('cut off a reader that acknowledges nothing, with the offset where it resumes', async () => {
    const socket = await admin.socket(`/hosts/${host}`)
    let acks: (() => void)[] = []
    const seen: number[] = []
    socket.on('logs.batch', (_stream: string, records: { offset: number }[], ack: () => void) => {
      seen.push(...records.map((record) => record.offset))
      acks.push(ack)
    })
    const end = new Promise<[string, string, { offset: number }]>((resolve) =>
      socket.once('stream.end', (...args: unknown[]) => resolve(args as never)),
    )
    await ask(socket, 'logs.open', { stream: 'slow', container: 'web', tail: 0 })
    for (let batch = 0; batch < 26; batch += 1) agent.logLines(...Array.from({ length: 500 }, (_, n) => `flood ${batch * 500 + n}`))
    const [, reason, { offset }] = await end
    expect(reason).toBe('slow')
    expect(offset).toBeLessThanOrEqual(seen[0] as number)
    acks = []
    socket.disconnect()
  })

  it('of events and numbers are shared too', async () => {
    const sockets = await Promise.all([admin.socket(`/hosts/${host}`), admin.socket(`/hosts/${host}`)])
    const samples: number[] = [0, 0]
    const events: number[] = [0, 0]
    for (const [index, socket] of sockets.entries()) {
      socket.on('stats.items', () => {
        samples[index] = (samples[index] ?? 0) + 1
      })
      socket.on('events.items', () => {
        events[index] = (events[index] ?? 0) + 1
      })
      expect(await ask(socket, 'stats.open', { stream: 's', containers: 'all', host: true })).toMatchObject({ ok: true })
      expect(await ask(socket, 'events.open', { stream: 'e' })).toMatchObject({ ok: true, value: { epoch: 'e1' } })
    }
    agent.say('stats.items', { containers: [], host: null })
    agent.say('events.items', [
      { sequence: 1, epoch: 'e1', at: '', timeNano: '1', type: 'container', action: 'start', actorId: 'x', attributes: {} },
    ])
    await until(() => samples.every((n) => n === 1) && events.every((n) => n === 1), 'one copy each')
    expect(agent.seen.opened.filter((one) => one.event === 'events.open')).toHaveLength(1)
    const late = await admin.socket(`/hosts/${host}`)
    const missed = new Promise<unknown[]>((resolve) => late.once('events.items', (...args: unknown[]) => resolve(args)))
    await ask(late, 'events.open', { stream: 'e', cursor: { epoch: 'e1', sequence: 0 } })
    expect((await missed)[1]).toMatchObject([{ sequence: 1 }])
    const reset = new Promise<unknown[]>((resolve) => late.once('events.reset', (...args: unknown[]) => resolve(args)))
    await ask(late, 'events.open', { stream: 'e2', cursor: { epoch: 'another life', sequence: 7 } })
    expect((await reset)[1]).toEqual({ epoch: 'e1', sequence: 1 })
    for (const socket of [...sockets, late]) socket.disconnect()
  })

  it('refuse input that is no bytes or too long, streams of the same name, and names that are none', async () => {
    const socket = await admin.socket(`/hosts/${host}`)
    expect(await ask(socket, 'terminal.open', { stream: 't', target: { exec: 'e' } })).toMatchObject({ ok: true })
    expect(await ask(socket, 'terminal.open', { stream: 't', target: { exec: 'e' } })).toMatchObject({
      ok: false,
      error: { code: 'already_exists' },
    })
    expect(await ask(socket, 'terminal.input', 't', 'text')).toMatchObject({ ok: false, error: { code: 'invalid_argument' } })
    expect(await ask(socket, 'terminal.input', 't', Buffer.alloc(131_073))).toMatchObject({
      ok: false,
      error: { code: 'invalid_argument' },
    })
    expect(await ask(socket, 'terminal.open', { stream: '', target: {} })).toMatchObject({ ok: false, error: { code: 'invalid_argument' } })
    expect(await ask(socket, 'terminal.open', null)).toMatchObject({ ok: false, error: { code: 'invalid_argument' } })
    const gone = new Promise((resolve) => socket.once('disconnect', resolve))
    socket.emit('terminal.input', 't', Buffer.alloc(400_000))
    await gone
  })
})

describe('a host that sends nonsense', () => {
  it('ends its own streams, and neither the dashboard nor anybody else', async () => {
    const rogue = await simulateAgent({
      base: dashboard.base,
      token: await joinToken(admin),
      name: 'rogue',
      script: {
        answers: { 'containers.list': () => 'not a list', 'volumes.list': () => [null, 7], 'logs.read': () => ({ records: 'x' }) },
      },
    })
    await online(rogue.hostId)
    const socket = await admin.socket(`/hosts/${rogue.hostId}`)
    const ends: unknown[][] = []
    socket.on('stream.end', (...args: unknown[]) => ends.push(args))
    await until(async () => (await ask(socket, 'events.open', { stream: 'e' })).ok, 'the events')
    expect(await ask(socket, 'stats.open', { stream: 's', containers: 'all', host: true })).toMatchObject({ ok: true })
    await ask(socket, 'logs.open', { stream: 'l', container: 'x', tail: null })
    for (const nonsense of [null, 7, 'x', [null], {}, [{ sequence: {} }], undefined])
      for (const name of ['events.items', 'events.reset', 'stats.items', 'logs.batch', 'stream.end']) rogue.say(name, nonsense)
    await until(() => ends.some(([stream]) => stream === 's'), 'the end of the numbers')
    // Both merged lists say which host could not be read, and show the others.
    for (const noun of ['containers', 'volumes']) {
      const list = (await admin.query(`fleet.${noun}`)).data as { hosts: { host: string; error: string | null }[] }
      expect(list.hosts.find((one) => one.host === host)?.error).toBeNull()
    }
    expect((await admin.query('me.get')).error).toBeNull()
    expect(stateOf(host)?.state).toBe('online')
    socket.disconnect()
    await rogue.stop()
    await admin.mutate('hosts.remove', { host: rogue.hostId })
  })
})

describe('a host that stops answering', () => {
  it('is away with its last time, its lists keep their age, and everything comes back by itself', async () => {
    expect((await admin.query('fleet.containers')).data).toMatchObject({
      hosts: [{ host, state: 'online', error: null }],
      items: [{}, {}, {}],
    })
    const socket = await admin.socket(`/hosts/${host}`)
    const lost = new Promise<unknown[]>((resolve) => socket.once('stream.end', (...args: unknown[]) => resolve(args)))
    await ask(socket, 'terminal.open', { stream: 't', target: { exec: 'e' } })
    await agent.stop()
    expect((await lost)[1]).toBe('lost')
    await until(() => stateOf(host)?.state === 'away', 'the host to be away')
    const away = (await admin.query('fleet.containers')).data as {
      hosts: { asOf: string; error: string; state: string }[]
      items: unknown[]
    }
    expect(away.items).toHaveLength(3)
    expect(away.hosts[0]).toMatchObject({ state: 'away', error: expect.stringContaining('alpha') })
    expect(Date.parse(away.hosts[0]?.asOf ?? '')).toBeLessThanOrEqual(Date.parse(stateOf(host)?.lastSeenAt ?? ''))
    expect((await admin.call('GET', `/api/hosts/${host}/trpc/containers.list`)).error?.code).toBe('unavailable')
    expect(await ask(socket, 'terminal.open', { stream: 't3', target: { exec: 'e' } })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    })
    const back = new Promise((resolve) => socket.on('host.state', (state: { state: string }) => state.state === 'online' && resolve(null)))
    await agent.start()
    await back
    expect(await ask(socket, 'terminal.open', { stream: 't4', target: { exec: 'e' } })).toMatchObject({ ok: true })
    socket.disconnect()
  })

  it('is never spoken to again once it is revoked', async () => {
    const other = await simulateAgent({ base: dashboard.base, token: await joinToken(admin), name: 'beta' })
    await online(other.hostId)
    const socket = await admin.socket(`/hosts/${other.hostId}`)
    expect(await ask(socket, 'terminal.open', { stream: 't', target: { exec: 'e' } })).toMatchObject({ ok: true })
    const end = new Promise<unknown[]>((resolve) => socket.once('stream.end', (...args: unknown[]) => resolve(args)))
    const told = new Promise((resolve) => socket.on('host.state', (state: { state: string }) => state.state === 'revoked' && resolve(null)))
    await admin.mutate('hosts.revoke', { host: other.hostId })
    await until(() => other.sockets.size === 0, 'the link to be cut')
    expect((await end)[1]).toBe('lost')
    await told
    expect(await ask(socket, 'terminal.open', { stream: 't2', target: { exec: 'e' } })).toMatchObject({
      ok: false,
      error: { code: 'unavailable' },
    })
    socket.disconnect()
    expect(stateOf(other.hostId)).toMatchObject({ state: 'revoked' })
    const before = other.seen.requests.length
    expect((await admin.call('POST', `/api/hosts/${other.hostId}/trpc/containers.start`, { container: 'x' })).error?.code).toBe(
      'unavailable',
    )
    expect(other.seen.requests.length).toBe(before)
    await other.stop()
    await admin.mutate('hosts.remove', { host: other.hostId })
    expect((await admin.call('GET', `/api/hosts/${other.hostId}/trpc/containers.list`)).status).toBe(404)
  })
})
