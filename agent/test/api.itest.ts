/** The agent's own doors: mutual TLS with signed claims, procedures, streams and bulk bytes, with real containers behind. Long because one agent, one key and one
 * connection serve all of it: each part alone would start its own. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '@berth/contract/claim'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeIdentity } from '../src/api/identity.ts'
import { openApi } from '../src/api/server.ts'
import { createLogger } from '../src/log.ts'
import { openTestEngine, parseExec, type TestEngine, testConfig } from './engine.ts'

const hostId = 'host-under-test'
let directory: string
let engine: TestEngine
let api: Awaited<ReturnType<typeof openApi>>
let port: number
let runRoot: string
const { publicKey, privateKey } = generateKeyPairSync('ed25519')

/** Key and certificate `name`, signed by `authority` (itself when absent). */
function certify(name: string, authority: string | null, usage: 'clientAuth' | 'serverAuth' | 'ca', days = 2): void {
  const at = (suffix: string) => join(directory, `${name}.${suffix}`)
  const extensions = usage === 'ca' ? 'basicConstraints=critical,CA:TRUE' : `extendedKeyUsage=${usage}\nsubjectAltName=DNS:${hostId}.berth`
  writeFileSync(at('ext'), extensions)
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  run(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    at('key'),
    '-out',
    at('csr'),
    '-subj',
    `/CN=${name}`,
  )
  const signer = authority
    ? ['-CA', join(directory, `${authority}.crt`), '-CAkey', join(directory, `${authority}.key`), '-CAcreateserial']
    : ['-signkey', at('key')]
  run('x509', '-req', '-in', at('csr'), '-days', String(days), '-extfile', at('ext'), '-out', at('crt'), ...signer)
}
const pem = (file: string) => readFileSync(join(directory, file), 'utf8')

function claim(role: Role, more: object = {}): string {
  const payload = Buffer.from(
    JSON.stringify({
      host: hostId,
      user: role,
      userName: role,
      role,
      expires: Math.floor(Date.now() / 1000) + 50,
      from: '192.0.2.9',
      ...more,
    }),
  )
  return `${payload.toString('base64url')}.${sign(null, payload, privateKey).toString('base64url')}`
}

const tls = (name: string | null) => ({
  host: '127.0.0.1',
  port,
  ca: pem('authority.crt'),
  servername: `${hostId}.berth`,
  ...(name ? { key: pem(`${name}.key`), cert: pem(`${name}.crt`) } : {}),
})

function call(
  path: string,
  options: RequestOptions & { name?: string | null; claim?: string; body?: Buffer | string } = {},
): Promise<{ status: number; body: Buffer; headers: Record<string, unknown> }> {
  const { name = 'dashboard', claim: text, body, ...rest } = options
  return new Promise((resolve, reject) => {
    const headers = {
      ...(text ? { 'x-berth-claim': text } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const sent = request(
      { ...tls(name), path, method: body === undefined ? 'GET' : 'POST', headers, agent: false, ...rest },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts), headers: response.headers }))
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}
const query = (procedure: string, input: unknown) => `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-api-'))
  certify('authority', null, 'ca')
  certify('foreign', null, 'ca')
  certify('agent', 'authority', 'serverAuth')
  certify('dashboard', 'authority', 'clientAuth')
  certify('other-agent', 'authority', 'serverAuth')
  certify('stranger', 'foreign', 'clientAuth')
  certify('expired', 'authority', 'clientAuth', -1)
  const config = testConfig()
  runRoot = config.runRoot
  port = await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
  Object.assign(config, { port, host: '127.0.0.1' })
  engine = await openTestEngine(config)
  const claimKey = publicKey.export({ type: 'spki', format: 'pem' }) as string
  await writeIdentity(config.dataRoot, {
    key: pem('agent.key'),
    certificate: pem('agent.crt'),
    authority: pem('authority.crt'),
    claimKey,
    hostId,
  })
  api = await openApi(engine, createLogger('silent'))
})
afterAll(async () => {
  await api?.close()
  await engine?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe('the port', () => {
  it.each([
    ['no certificate', null],
    ['a certificate of another authority', 'stranger'],
    ["another host's certificate", 'other-agent'],
    ['a certificate of the dashboard that has expired', 'expired'],
  ])('lets nobody in with %s', async (_, name) => {
    await expect(call('/healthz', { name })).rejects.toThrow()
  })

  it('answers a dashboard, and asks it who is behind each question', async () => {
    expect((await call('/healthz')).status).toBe(200)
    expect((await call('/metrics')).body.toString()).toMatch(/^# HELP berth_agent_resident_memory_bytes/)
    const refused = await call(query('containers.list', {}))
    expect([refused.status, JSON.parse(refused.body.toString()).message]).toEqual([403, "the request's claim is missing"])
    const expired = await call(query('containers.list', {}), { claim: claim('admin', { expires: 1 }) })
    expect(expired.status).toBe(403)
    const answered = await call(query('containers.list', {}), { claim: claim('viewer') })
    expect(JSON.parse(answered.body.toString())).toEqual({ result: { data: [] } })
  })

  it('gives errors their code and their sentence', async () => {
    const missing = await call(query('containers.inspect', { container: 'nosuch' }), { claim: claim('viewer') })
    expect(missing.status).toBe(404)
    expect(JSON.parse(missing.body.toString()).error).toMatchObject({
      message: 'No such container: nosuch',
      data: { errorCode: 'not_found', path: 'containers.inspect' },
    })
    const forbidden = await call('/trpc/containers.start', { claim: claim('viewer'), body: JSON.stringify({ container: 'x' }) })
    expect(JSON.parse(forbidden.body.toString()).error).toMatchObject({
      message: 'the role viewer lacks the permission "operate"',
      data: { errorCode: 'permission_denied' },
    })
    const wrong = await call('/trpc/containers.rename', { claim: claim('admin'), body: JSON.stringify({ container: 'x', name: '../x' }) })
    expect(JSON.parse(wrong.body.toString()).error.message).toMatch(/^name: use letters/)
  })
})

it('trusts root on its own socket', async () => {
  const body = await new Promise<string>((resolve, reject) => {
    plainRequest({ socketPath: join(runRoot, 'agent.sock'), path: '/trpc/system.info' }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => {
        text += part.toString()
      })
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
  expect(JSON.parse(body).result.data).toMatchObject({ storageDriver: 'overlay2', policy: { noHostConsole: true } })
  expect(execFileSync('stat', ['-c', '%a %U', join(runRoot, 'agent.sock')], { encoding: 'utf8' })).toBe('600 root\n')
})

describe('streams', () => {
  let socket: Socket
  let container: string
  const ask = (event: string, role: Role, ...args: unknown[]) =>
    socket.emitWithAck(event, claim(role), ...args) as Promise<{ ok: boolean; value?: unknown; error?: { code: string; message: string } }>
  /** Collects one event's arguments for one stream until `enough`. */
  const collect = (event: string, stream: string, enough: (seen: unknown[][]) => boolean) =>
    new Promise<unknown[][]>((resolve, reject) => {
      const seen: unknown[][] = []
      const timer = setTimeout(() => reject(new Error(`${event} did not come in time`)), 40_000)
      const listener = (name: string, ...args: unknown[]) => {
        if (name !== stream) return
        const ack = args.at(-1)
        if (typeof ack === 'function') ack()
        seen.push(args)
        if (!enough(seen)) return
        clearTimeout(timer)
        socket.off(event, listener)
        resolve(seen)
      }
      socket.on(event, listener)
    })

  beforeAll(async () => {
    const { host, port: at, ...secure } = tls('dashboard')
    // The client passes no server name of its own on; an agent does.
    const agent = new Agent(secure) as unknown as string
    socket = io(`https://${host}:${at}`, { transports: ['websocket'], forceNew: true, agent })
    await new Promise((resolve, reject) => socket.once('connect', () => resolve(undefined)).once('connect_error', reject))
    container = await engine.run({ image: 'busybox:1', cmd: ['sh', '-c', 'for i in 1 2 3; do echo line $i; done; sleep 1000'] })
  })
  afterAll(() => socket?.close())

  it('refuses events without a claim, and shells to viewers', async () => {
    expect(await socket.emitWithAck('events.open', { stream: 'a' })).toMatchObject({ ok: false, error: { code: 'permission_denied' } })
    expect(await ask('terminal.open', 'viewer', { stream: 'a', target: { container } })).toMatchObject({
      ok: false,
      error: { code: 'permission_denied', message: expect.stringContaining('"shell"') },
    })
    expect(await ask('terminal.open', 'developer', { stream: 'a', target: { hostConsole: 'x' } })).toMatchObject({
      ok: false,
      error: { code: 'permission_denied' },
    })
    expect(await ask('terminal.open', 'admin', { stream: 'a', target: { hostConsole: 'x' } })).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('policy.noHostConsole') },
    })
    expect(await ask('logs.open', 'viewer', { stream: '' })).toMatchObject({ ok: false, error: { code: 'invalid_argument' } })
  })

  it('tells logs with their offsets', async () => {
    const batches = collect('logs.batch', 'log', (seen) => seen.flatMap(([records]) => records as unknown[]).length >= 3)
    expect(await ask('logs.open', 'viewer', { stream: 'log', container })).toMatchObject({ ok: true, value: { startOffset: 0 } })
    const records = (await batches).flatMap(([found]) => found as { text: string; offset: number; next: number }[])
    expect(records.map((record) => record.text)).toEqual(['line 1', 'line 2', 'line 3'])
    expect(records[1]?.offset).toBe(records[0]?.next)
    const ended = collect('stream.end', 'log', () => true)
    socket.emit('close', claim('viewer'), 'log')
    expect((await ended)[0]?.[0]).toBe('closed')
  })

  it('carries a terminal: keystrokes, size, credit, exit', async () => {
    const { id } = await engine.containers.createExec(container, {
      cmd: ['sh'],
      terminal: true,
      attachStdin: true,
      attachStdout: true,
      attachStderr: true,
      user: '',
      workingDir: '',
      env: ['PS1=$ '],
      privileged: false,
      detachKeys: '',
    })
    const text = (seen: unknown[][]) => Buffer.concat(seen.map(([bytes]) => bytes as Buffer)).toString()
    const output = collect('terminal.output', 't', (seen) => text(seen).includes('33 101'))
    const exit = collect('terminal.exit', 't', () => true)
    expect(await ask('terminal.open', 'developer', { stream: 't', target: { exec: id }, cols: 101, rows: 33 })).toMatchObject({
      ok: true,
      value: { terminal: true, writable: true },
    })
    expect(await ask('terminal.input', 'developer', 't', Buffer.from('stty size\n'))).toEqual({ ok: true, value: null })
    await output
    expect(await ask('terminal.input', 'viewer', 't', Buffer.from('x'))).toMatchObject({ ok: false, error: { code: 'permission_denied' } })
    await ask('terminal.input', 'developer', 't', Buffer.from('exit 7\n'))
    expect((await exit)[0]?.[0]).toMatchObject({ exitCode: 7 })
  })

  it('holds a flood back until more is granted', async () => {
    const { id } = await engine.containers.createExec(container, {
      cmd: ['sh', '-c', 'head -c 1000000 /dev/zero'],
      terminal: false,
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      user: '',
      workingDir: '',
      env: [],
      privileged: false,
      detachKeys: '',
    })
    let got = 0
    socket.on('terminal.output', (stream: string, bytes: Buffer) => {
      if (stream === 'flood') got += bytes.length
    })
    await ask('terminal.open', 'developer', { stream: 'flood', target: { exec: id }, credit: 50_000 })
    await expect.poll(() => got).toBeGreaterThanOrEqual(50_000)
    // Time enough for more to come, if more would.
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(got).toBe(50_000)
    const exit = collect('terminal.exit', 'flood', () => true)
    socket.emit('terminal.credit', claim('developer'), 'flood', 2_000_000)
    await exit
    expect(got).toBe(1_000_000)
  })

  it('tells events behind a cursor without a gap, and samples', async () => {
    const { value } = (await ask('events.open', 'viewer', { stream: 'e1' })) as { value: { epoch: string; sequence: number } }
    await engine.containers.pause(container)
    await engine.containers.unpause(container)
    const items = collect('events.items', 'e2', (seen) => seen.flatMap(([events]) => events as unknown[]).length >= 2)
    await ask('events.open', 'viewer', { stream: 'e2', cursor: value, types: ['container'] })
    expect((await items).flatMap(([events]) => (events as { action: string }[]).map((event) => event.action))).toEqual(['pause', 'unpause'])
    const samples = collect('stats.items', 's', () => true)
    await ask('stats.open', 'viewer', { stream: 's', containers: [container], host: true })
    expect((await samples)[0]?.[0]).toMatchObject({
      containers: [{ id: container, point: { pids: expect.any(Number) } }],
      host: { memoryTotalBytes: expect.any(Number) },
    })
    for (const stream of ['e1', 'e2', 's']) socket.emit('close', claim('viewer'), stream)
  })

  it('moves files and logs as bytes', async () => {
    const path = `/data/files/content?container=${container}&path=/tmp/up%20load.bin`
    const bytes = Buffer.from([0, 255, 10, 13, 0x1b])
    expect((await call(path, { claim: claim('operator'), body: bytes, method: 'PUT' })).status).toBe(403)
    expect((await call(path, { claim: claim('developer'), body: bytes, method: 'PUT' })).status).toBe(200)
    const back = await call(path, { claim: claim('developer') })
    expect([back.status, back.body]).toEqual([200, bytes])
    expect(back.headers['content-disposition']).toContain("filename*=UTF-8''up%20load.bin")
    expect((await call(`/data/logs/download?container=${container}`, { claim: claim('viewer') })).body.toString()).toBe(
      'line 1\nline 2\nline 3\n',
    )
    // Broken off half-way: nothing new is there, and what was there is as it was.
    const names = async () => (await engine.containers.listFiles(container, '/tmp', 100)).map((entry) => entry.name)
    for (const name of ['up%20load.bin', 'never.bin']) {
      const half = request({
        ...tls('dashboard'),
        path: `/data/files/content?container=${container}&path=/tmp/${name}`,
        method: 'PUT',
        headers: { 'x-berth-claim': claim('developer'), 'content-length': '1000000' },
        agent: false,
      })
      const broken = new Promise((resolve) => half.once('error', resolve))
      half.write(Buffer.alloc(300_000))
      await expect.poll(async () => (await names()).length, { timeout: 20_000 }).toBe(2)
      half.destroy(new Error('the browser went away'))
      await broken
      await expect.poll(names, { timeout: 20_000 }).toEqual(['up load.bin'])
    }
    expect((await call(path, { claim: claim('developer') })).body).toEqual(bytes)
    const shorter = Buffer.from([7])
    expect((await call(path, { claim: claim('developer'), body: shorter, method: 'PUT' })).status).toBe(200)
    expect((await call(path, { claim: claim('developer') })).body).toEqual(shorter)
    expect((await call('/data/nosuch', { claim: claim('admin') })).status).toBe(404)
    expect((await call(`/data/files/content?container=${container}&path=/etc`, { claim: claim('developer') })).status).toBe(400)
  })
})

describe("the host's policy", () => {
  const ask = async (procedure: string, input: object, from: 'dashboard' | 'host' = 'dashboard') => {
    const answer =
      from === 'dashboard'
        ? await call(`/trpc/${procedure}`, { claim: claim('admin'), body: JSON.stringify(input) })
        : await new Promise<{ body: Buffer }>((resolve, reject) => {
            const sent = plainRequest(
              {
                socketPath: join(runRoot, 'agent.sock'),
                path: `/trpc/${procedure}`,
                method: 'POST',
                headers: { 'content-type': 'application/json' },
              },
              (response) => {
                const parts: Buffer[] = []
                response.on('data', (part: Buffer) => parts.push(part))
                response.on('end', () => resolve({ body: Buffer.concat(parts) }))
              },
            )
            sent.on('error', reject)
            sent.end(JSON.stringify(input))
          })
    const parsed = JSON.parse(answer.body.toString()) as { result?: { data: unknown }; error?: { message: string } }
    return parsed.error?.message ?? parsed.result?.data ?? null
  }
  const create = (options: object, from?: 'dashboard' | 'host') =>
    ask('containers.create', { options: { image: 'busybox:1', cmd: ['sleep', '1000'], ...options } }, from)
  let allowed: string
  beforeAll(() => {
    allowed = mkdtempSync(join(tmpdir(), 'berth-allowed-'))
    mkdirSync(join(allowed, 'data'))
  })
  afterAll(() => {
    Object.assign(engine.config.policy, { readOnly: false, noExec: false, noPrivileged: false, bindSources: null })
    rmSync(allowed, { recursive: true, force: true })
  })

  it('allows no bind outside its list by any way: mounts, volumes with options, volumes of others, links put there later', async () => {
    const bind = (source: string) => ({ mounts: [{ type: 'bind', source, target: '/host', createSource: true }] })
    const before = (await create(bind('/etc'), 'host')) as { id: string }
    engine.config.policy.bindSources = [allowed]
    for (const options of [
      bind('/etc'),
      bind(`${allowed}/../..`),
      { volumesFrom: [before.id] },
      { volumesFrom: [`${before.id}:ro`] },
      { mounts: [{ type: 'volume', source: '', target: '/host', volumeOptions: { type: 'none', o: 'bind', device: '/etc' } }] },
    ])
      expect(await create(options), JSON.stringify(options)).toContain('policy.bindSources')
    for (const options of [
      { type: 'none', o: 'bind', device: '/etc' },
      { type: 'none', o: 'rbind,ro', device: 'etc' },
      { type: 'tmpfs', o: 'bind', device: 'etc' },
      { type: 'overlay', o: 'lowerdir=/etc,upperdir=/tmp/u,workdir=/tmp/w', device: 'overlay' },
      { type: 'ext4', device: '/dev/sda1' },
      { type: 'ext4', device: 'LABEL=root' },
      { type: 'nfs', o: 'remount,rw', device: ':/x' },
      { type: 'proc', device: 'proc' },
    ])
      expect(await ask('volumes.create', { options }), JSON.stringify(options)).toContain('policy.bindSources')
    expect(await ask('volumes.create', { name: 'memory', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } })).toMatchObject({
      name: 'memory',
    })
    await ask('volumes.remove', { volume: 'memory' })

    const good = (await create(bind(join(allowed, 'data')))) as { id: string }
    expect(await ask('containers.start', { container: good.id })).toEqual({ started: true })
    await engine.containers.kill(good.id, 'KILL')
    await engine.containers.wait(good.id, 'not-running')
    rmSync(join(allowed, 'data'), { recursive: true })
    symlinkSync('/etc', join(allowed, 'data'))
    expect(await ask('containers.start', { container: good.id })).toContain('policy.bindSources')
    for (const { id } of [before, good]) await engine.containers.remove(id, { force: true, volumes: true })
    engine.config.policy.bindSources = null
  })

  it('allows nothing privileged by any way: options, the network and processes of others, exec, attach, builds', async () => {
    const strong = (await create({ capAdd: ['SYS_ADMIN'], pidMode: 'host', openStdin: true }, 'host')) as { id: string }
    await engine.containers.start(strong.id)
    engine.config.policy.noPrivileged = true
    const forbidden = expect.stringContaining('policy.noPrivileged')
    expect(await create({ privileged: true })).toEqual(forbidden)
    for (const mode of [
      { pidMode: `container:${strong.id}` },
      { networkMode: `container:${strong.id}` },
      { ipcMode: `container:${strong.id}` },
    ])
      expect(await create(mode), JSON.stringify(mode)).toEqual(forbidden)
    expect(await create({ deviceRequests: [{ driver: '', count: -1, deviceIds: [], capabilities: [['gpu']], options: {} }] })).toEqual(
      forbidden,
    )
    expect(await create({ securityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'] })).toEqual(forbidden)
    expect(await ask('containers.recreate', { container: strong.id, options: { image: 'busybox:1', capAdd: ['SYS_ADMIN'] } })).toEqual(
      forbidden,
    )
    expect(await ask('exec.create', { container: strong.id, options: { cmd: ['sh'] } })).toEqual(forbidden)
    const plain = (await create({})) as { id: string }
    expect(await ask('exec.create', { container: plain.id, options: { cmd: ['sh'], privileged: true } })).toEqual(forbidden)

    const made = await engine.containers.createExec(strong.id, parseExec({ cmd: ['sh'] }))
    const { host, port: at, ...secure } = tls('dashboard')
    const socket = io(`https://${host}:${at}`, { transports: ['websocket'], forceNew: true, agent: new Agent(secure) as unknown as string })
    const open = (target: object, more: object = {}) =>
      socket.emitWithAck('terminal.open', claim('admin'), { stream: 'p', target, ...more })
    expect(await open({ exec: made.id })).toMatchObject({ ok: false, error: { message: forbidden } })
    expect(await open({ container: strong.id })).toMatchObject({ ok: false, error: { message: forbidden } })
    expect(await open({ container: strong.id }, { readOnly: true })).toMatchObject({ ok: true })
    socket.disconnect()

    const context = mkdtempSync(join(tmpdir(), 'berth-build-'))
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox:1\nRUN --network=host true\n')
    const archive = execFileSync('tar', ['-C', context, '-cf', '-', '.'])
    rmSync(context, { recursive: true })
    const { operation } = JSON.parse(
      (await call('/data/build', { claim: claim('admin'), body: archive, method: 'POST' })).body.toString(),
    ) as { operation: string }
    await expect.poll(() => engine.operations.inspect(operation).error?.message ?? '').toEqual(forbidden)
    for (const { id } of [strong, plain]) await engine.containers.remove(id, { force: true, volumes: true })
    engine.config.policy.noPrivileged = false
  })

  it('lets only look when it is read-only, and opens no shell when it says no exec', async () => {
    const { id } = (await create({})) as { id: string }
    engine.config.policy.readOnly = true
    for (const [procedure, input] of [
      ['containers.start', { container: id }],
      ['containers.update', { container: id, limits: { memoryBytes: 1 << 26 } }],
      ['images.remove', { image: 'busybox:1' }],
      ['exec.create', { container: id, options: { cmd: ['sh'] } }],
      ['files.mkdir', { root: { container: id }, path: '/x' }],
      ['registries.login', { server: 'r.example', username: 'u', password: 'p' }],
    ] as const)
      expect(await ask(procedure, input), procedure).toContain('policy is read-only')
    expect((await call(`/data/files/content?container=${id}&path=/x`, { claim: claim('admin'), body: 'x', method: 'PUT' })).status).toBe(
      403,
    )
    expect(await ask('containers.start', { container: id }, 'host')).toEqual({ started: true })
    Object.assign(engine.config.policy, { readOnly: false, noExec: true })
    expect(await ask('exec.create', { container: id, options: { cmd: ['sh'] } })).toContain('policy.noExec')
    engine.config.policy.noExec = false
    await engine.containers.remove(id, { force: true, volumes: true })
  })
})
