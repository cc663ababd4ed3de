/** What programs in containers see of the name service at 127.0.0.11, with real resolvers; and containers of one network that may not talk to each other. */
import { execFile } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { connect, createServer, type Server } from 'node:net'
import { promisify } from 'node:util'
import type { EndpointConfig } from '@berth/contract/network'
import { decode, encode, type Packet } from 'dns-packet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestEngine, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

const config = testConfig()
let engine: TestEngine
const network = (name: string, more: object = {}) =>
  engine.networks.create({
    name,
    driver: 'bridge',
    internal: false,
    attachable: false,
    ipv6: false,
    pools: [],
    labels: {},
    options: {},
    ...more,
  })
const run = (on: Record<string, Partial<EndpointConfig>>, more: object = {}) =>
  engine.run({
    image: 'busybox:1',
    cmd: ['sleep', '600'],
    stopTimeoutSeconds: 0,
    networkMode: Object.keys(on)[0] as string,
    networks: Object.fromEntries(Object.entries(on).map(([name, given]) => [name, { aliases: [], links: [], ...given }])),
    ...more,
  })
const sh = async (id: string, script: string) => (await engine.exec(id, { cmd: ['sh', '-c', `${script} 2>&1`] })).stdout
const ipOf = async (id: string, on: string) =>
  (await engine.containers.inspect(id)).networks.find(({ networkName }) => networkName === on)?.ipv4 as string

/** A resolver of the outside world: every name has the address 192.0.2.7, `long.test` a text that no datagram takes, `dead.test` no answer. */
const upstreamAddress = '127.77.0.53'
let udp: Socket
let tcp: Server
function upstream(message: Buffer): Buffer | null {
  const query = decode(message) as Packet
  const question = query.questions?.[0]
  if (!question || question.name === 'dead.test') return null
  const long = question.name === 'long.test'
  return encode({
    type: 'response',
    id: query.id,
    flags: 0x8180,
    questions: [question],
    answers: long
      ? [{ type: 'TXT', name: question.name, ttl: 1, data: Array.from({ length: 20 }, () => 'x'.repeat(200)) }]
      : [{ type: 'A', name: question.name, ttl: 1, data: '192.0.2.7' }],
  })
}

beforeAll(async () => {
  engine = await openTestEngine(config)
  udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    const answer = upstream(message)
    if (answer)
      udp.send(answer.length > 512 ? encode({ ...decode(message), type: 'response', flags: 0x8380 }) : answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(53, upstreamAddress, resolve))
  tcp = createServer((socket) =>
    socket.on('data', (bytes) => {
      const answer = upstream(bytes.subarray(2)) ?? Buffer.alloc(0)
      const head = Buffer.alloc(2)
      head.writeUInt16BE(answer.length)
      socket.end(Buffer.concat([head, answer]))
    }),
  )
  await new Promise<void>((resolve) => tcp.listen(53, upstreamAddress, resolve))
})
afterAll(async () => {
  udp?.close()
  tcp?.close()
  for (const name of ['a', 'b', 'inner', 'apart', 'six']) await engine.networks.remove(name).catch(() => {})
  await engine?.destroy()
})

/** A program of the host in a container's network; asynchronous, because the name service is in this very process. */
async function inside(id: string, ...command: string[]): Promise<string> {
  const { pid } = (await engine.containers.inspect(id)).state
  return (await promisify(execFile)('nsenter', ['-t', String(pid), '-n', ...command])).stdout
}
const dig = async (id: string, ...args: string[]) => (await inside(id, 'dig', '@127.0.0.11', '+time=6', '+tries=1', ...args)).trim()

describe('127.0.0.11', { timeout: 120_000 }, () => {
  it('answers names, aliases, links and addresses of every network that a container is on', async () => {
    await network('a')
    await network('b')
    const one = await run({ a: { aliases: ['web'] } }, { hostname: 'one' })
    const two = await run({ a: { aliases: ['web'] } })
    const far = await run({ b: { aliases: ['far'] } })
    const asker = await run(
      { a: { links: [`${(await engine.containers.inspect(one)).name}:database`] }, b: {} },
      { dns: [upstreamAddress] },
    )
    expect(await sh(asker, 'cat /etc/resolv.conf')).toMatch(/^nameserver 127\.0\.0\.11$/m)
    const [first, second] = [await ipOf(one, 'a'), await ipOf(two, 'a')]
    expect((await dig(asker, '+short', 'web')).split('\n').sort()).toEqual([first, second].sort())
    const orders = new Set<string>()
    for (let count = 0; count < 30; count++) orders.add((await dig(asker, '+short', 'web')).split('\n')[0] as string)
    expect(orders.size).toBe(2)
    expect(await dig(asker, '+short', '+tcp', 'FAR')).toBe(await ipOf(far, 'b'))
    expect(await dig(asker, '+short', 'database')).toBe(first)
    expect(await dig(two, '+short', 'far')).toBe('')
    expect(await dig(asker, '+short', '-x', first)).toBe(`${(await engine.containers.inspect(one)).name}.a.`)
    expect(await dig(asker, 'web', 'AAAA')).toMatch(/status: NOERROR.*\n.*ANSWER: 0/)
    expect(await sh(asker, 'nslookup -type=a web')).toContain(first)
    expect(await sh(asker, `ping -c1 -W5 ${two.slice(0, 12)}`)).toContain('1 packets received')
    // Whoever serves port 53 inside is not in its way.
    const server = await run({ a: {} }, { cmd: ['nc', '-ll', '-p', '53', '-e', 'cat'] })
    expect(await dig(server, '+short', 'web')).not.toBe('')
    expect(await sh(server, 'netstat -ltn')).toContain(':53 ')
    // After the agent was away.
    await engine.reopen()
    expect(await dig(asker, '+short', 'database')).toBe(first)
  })

  it('passes on what is not ours, by TCP what is long, and survives what does not answer', async () => {
    const id = await run({ a: {} }, { dns: [upstreamAddress], dnsOptions: ['attempts:1'], dnsSearch: ['example.test'] })
    expect(await sh(id, 'cat /etc/resolv.conf')).toBe('search example.test\nnameserver 127.0.0.11\noptions attempts:1 ndots:0\n')
    expect(await dig(id, '+short', 'anything.test')).toBe('192.0.2.7')
    expect((await dig(id, '+short', 'long.test', 'TXT')).length).toBeGreaterThan(4000)
    expect(await dig(id, 'dead.test')).toContain('status: SERVFAIL')
    // Two resolvers, the first of which is not there.
    const fallen = await run({ a: {} }, { dns: ['127.77.0.54', upstreamAddress] })
    expect(await dig(fallen, '+short', 'anything.test')).toBe('192.0.2.7')
  })

  it('is not led astray by hostile packets', async () => {
    const id = await run({ a: {} }, { dns: [upstreamAddress] })
    const gateway = engine.networks.inspect('a').pools[0]?.gateway as string
    const header = (questions: number) => Buffer.from([0, 7, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0])
    const packets = [
      Buffer.alloc(0),
      Buffer.from([1]),
      header(255),
      // A name that points at itself, one that points behind the end, labels without an end.
      Buffer.concat([header(1), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
      Buffer.concat([header(1), Buffer.from([0xff, 0xff, 0, 1, 0, 1])]),
      Buffer.concat([header(1), Buffer.alloc(400, 63)]),
      Buffer.concat([header(1), Buffer.from([3, 0, 0xff, 0x80, 0, 0, 1, 0, 1])]),
      Buffer.concat([Buffer.from([0, 7, 0x81, 0x80]), header(1).subarray(4), Buffer.from([1, 97, 0, 0, 1, 0, 1])]),
      Buffer.alloc(4096, 0xc0),
    ]
    const socket = createSocket('udp4')
    for (const packet of packets) await new Promise((resolve) => socket.send(packet, 53, gateway, resolve))
    socket.close()
    for (const packet of packets) {
      const connection = connect(53, gateway)
      connection.on('error', () => {})
      connection.write(Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 255]), packet]))
      connection.end()
      await new Promise((resolve) => connection.once('close', resolve))
    }
    expect(await dig(id, '+short', 'anything.test')).toBe('192.0.2.7')
  })

  it('keeps nothing for who asks by TCP and does not read', async () => {
    const id = await run({ a: {} }, { dns: [upstreamAddress] })
    const gateway = engine.networks.inspect('a').pools[0]?.gateway as string
    const question = encode({ type: 'query', id: 7, flags: 0x0100, questions: [{ type: 'A', name: `${id.slice(0, 12)}` }] })
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => [Buffer.from([0, question.length]), question]).flat())
    const asking = connect(53, gateway)
    asking.on('error', () => {})
    asking.pause()
    // The first megabytes fit into the buffers of two sockets; then nobody takes any more.
    const taken = async () => {
      const before = asking.bytesWritten - asking.writableLength
      await new Promise((resolve) => setTimeout(resolve, 500))
      return asking.bytesWritten - asking.writableLength - before
    }
    for (let count = 0; count < 40; count++) asking.write(many)
    await expect.poll(taken).toBe(0)
    expect(asking.writableLength).toBeGreaterThan(0)
    expect(await dig(id, '+short', 'anything.test')).toBe('192.0.2.7')
    asking.destroy()
  })

  it('follows a running container from network to network', async () => {
    const peer = await run({ b: { aliases: ['peer'] } })
    const id = await run({ bridge: {} }, { dns: [upstreamAddress] })
    expect(await sh(id, 'cat /etc/resolv.conf')).toContain(`nameserver ${upstreamAddress}\n`)
    const plain = { aliases: [], links: [] }
    await engine.containers.connect('a', id, plain)
    expect(await sh(id, 'cat /etc/resolv.conf')).toMatch(/^nameserver 127\.0\.0\.11$/m)
    expect(await dig(id, '+short', 'anything.test')).toBe('192.0.2.7')
    await engine.containers.connect('b', id, plain)
    expect(await dig(id, '+short', 'peer')).toBe(await ipOf(peer, 'b'))
    await engine.containers.disconnect('a', id, false)
    expect(await dig(id, '+short', 'peer')).toBe(await ipOf(peer, 'b'))
    await engine.containers.disconnect('b', id, false)
    expect(await sh(id, 'cat /etc/resolv.conf')).toContain(`nameserver ${upstreamAddress}\n`)
    expect(await inside(id, 'nft', 'list', 'tables')).toBe('')
  })

  it('has IPv6 names, and in an internal network nothing of the outside', async () => {
    await network('six', { ipv6: true })
    const six = await run({ six: { aliases: ['six'] } })
    const address = (await engine.containers.inspect(six)).networks[0]?.ipv6 as string
    expect(await dig(six, '+short', 'six', 'AAAA')).toBe(address)
    expect(await dig(six, '+short', '-x', address)).toMatch(/\.six\.$/)
    await network('inner', { internal: true })
    const inner = await run({ inner: { aliases: ['me'] } }, { dns: [upstreamAddress] })
    expect(await dig(inner, '+short', 'me')).toBe(await ipOf(inner, 'inner'))
    expect(await dig(inner, 'anything.test')).toContain('status: SERVFAIL')
  })
})

describe('a bridge that somebody deleted', { timeout: 60_000 }, () => {
  it('is there again for the next container, and for those that were on it', async () => {
    const id = await run({ a: {} })
    const { bridge, pools } = engine.networks.inspect('a')
    await promisify(execFile)('ip', ['link', 'delete', bridge])
    await run({ a: {} })
    expect(await sh(id, `ping -c1 -W5 ${pools[0]?.gateway}`)).toContain('1 packets received')
    expect(await dig(id, '+short', 'web')).not.toBe('')
  })
})

describe('a network without talk between its containers', () => {
  it('lets them reach the bridge alone', async () => {
    await network('apart', { options: { 'com.docker.network.bridge.enable_icc': 'false' } })
    const [one, two] = [await run({ apart: {} }), await run({ apart: {} })]
    const late = await run({ bridge: {} })
    await engine.containers.connect('apart', late, { aliases: [], links: [] })
    const gateway = engine.networks.inspect('apart').pools[0]?.gateway as string
    // An address of one's own choice on the link.
    const local = await run({ apart: { linkLocal: ['169.254.7.7'] } })
    expect(await sh(local, 'ip -o addr show eth0')).toContain('inet 169.254.7.7/16')
    await expect(run({ apart: { linkLocal: ['nowhere'] } })).rejects.toMatchObject({ code: 'invalid_argument' })
    for (const id of [one, two, late]) expect(await sh(id, `ping -c1 -W5 ${gateway}`)).toContain('1 packets received')
    for (const id of [one, late]) expect(await sh(id, `ping -c1 -W1 ${await ipOf(two, 'apart')}`)).toContain('100% packet loss')
    await expect(network('odd', { options: { 'com.docker.network.bridge.enable_icc': 'perhaps' } })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  it('and everything goes when the containers go', async () => {
    for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
      await engine.containers.remove(id, { force: true, volumes: true })
    for (const name of ['a', 'b', 'inner', 'apart', 'six']) await engine.networks.remove(name)
    expect(await settledLeftovers(config)).toEqual([])
  })
})
