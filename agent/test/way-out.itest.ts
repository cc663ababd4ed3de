/** How a running container is reached from the host, and where its default route goes, as it joins and leaves networks. */
import { execFileSync } from 'node:child_process'
import { createServer, connect as dial } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestEngine, type TestEngine, testConfig } from './engine.ts'
import { settledLeftovers } from './leaks.ts'

const config = testConfig()
let engine: TestEngine
const [outer, inner] = ['wayout', 'wayin'] as const

const network = (name: string) =>
  engine.networks.create({
    name,
    driver: 'bridge',
    internal: name === inner,
    attachable: false,
    ipv6: false,
    pools: [],
    labels: {},
    options: {},
  })

beforeAll(async () => {
  engine = await openTestEngine(config)
  for (const name of [outer, inner]) await network(name)
})
afterAll(async () => {
  await engine.destroy()
  expect(await settledLeftovers(config)).toEqual([])
})

const plain = { aliases: [], links: [] }

/** What a program on the host reads from that port; '' when nobody answers. */
function read(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = dial(port, host)
    socket.on('data', (bytes) => {
      text += bytes
    })
    socket.on('error', () => resolve(''))
    socket.on('close', () => resolve(text))
  })
}

/** A server that greets, on a port that the engine has chosen unless one is given. */
function greeter(networkMode: string, hostPort = 0): Promise<string> {
  return engine.run({
    image: 'busybox:1',
    cmd: ['sh', '-c', 'nc -ll -p 80 -e echo hello & exec sleep 600'],
    stopTimeoutSeconds: 0,
    networkMode,
    networks: { [networkMode]: plain },
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort }],
  })
}

const published = async (id: string) => (await engine.containers.inspect(id)).ports.flatMap(({ hostPort }) => hostPort ?? [])
async function defaultRoute(id: string): Promise<string> {
  const { pid } = (await engine.containers.inspect(id)).state
  return execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', 'route', 'show', 'default'], { encoding: 'utf8' }).trim()
}
const gatewayOf = async (id: string, name: string) =>
  (await engine.containers.inspect(id)).networks.find(({ networkName }) => networkName === name)?.gateway

it('goes on being reached by its port when it moves from one network to another, also by an agent that was started in between', async () => {
  const id = await greeter('bridge')
  const [port] = (await published(id)) as [number]
  await expect.poll(() => read(port)).toBe('hello\n')
  await engine.containers.connect(outer, id, plain)
  expect(await defaultRoute(id)).toContain(`via ${await gatewayOf(id, 'bridge')} `)

  await engine.close()
  engine = await openTestEngine(config)
  await engine.containers.disconnect('bridge', id, false)
  expect(await defaultRoute(id)).toContain(`via ${await gatewayOf(id, outer)} `)
  expect(await read(port)).toBe('hello\n')
  expect(await read(port, '::1')).toBe('hello\n')
  expect((await published(id))[0]).toBe(port)

  await engine.close()
  engine = await openTestEngine(config)
  expect(await read(port)).toBe('hello\n')
  // An agent that did not make the interface takes it away all the same, and the port is free for others.
  await engine.containers.disconnect(outer, id, false)
  expect(await published(id)).toEqual([])
  expect(await read(port)).toBe('')
  expect(await greeter('bridge', port)).toBeTruthy()
})

it('is published as soon as it is on a network that leads out, and no longer when it has left that', async () => {
  const id = await greeter(inner)
  expect([await published(id), await defaultRoute(id)]).toEqual([[], ''])
  await engine.containers.connect(outer, id, plain)
  const [port] = (await published(id)) as [number]
  expect(await read(port)).toBe('hello\n')
  await engine.containers.disconnect(outer, id, false)
  expect([await published(id), await defaultRoute(id)]).toEqual([[], ''])
  expect(await read(port)).toBe('')
})

it('does not join when its port is taken meanwhile, and joins when it is free', async () => {
  const other = createServer().listen(0, '0.0.0.0')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  try {
    const id = await greeter(inner, port)
    await expect(engine.containers.connect(outer, id, plain)).rejects.toThrow(/address already in use|already allocated/)
    expect((await engine.containers.inspect(id)).networks.map(({ networkName }) => networkName)).toEqual([inner])
    expect(engine.networks.inspect(outer).endpoints).toEqual([])
    await new Promise((resolve) => other.close(resolve))
    await engine.containers.connect(outer, id, plain)
    expect(await read(port)).toBe('hello\n')
  } finally {
    other.close()
  }
})

it('has its way out by priority, then by name, as in Docker, and keeps its ports when a better one comes', async () => {
  for (const name of ['away', 'wayz']) await network(name)
  const id = await greeter('bridge')
  const goesBy = async (name: string) => {
    expect(await defaultRoute(id)).toContain(`via ${await gatewayOf(id, name)} `)
    const [port] = (await published(id)) as [number]
    await expect.poll(() => read(port)).toBe('hello\n')
  }
  await engine.containers.connect('wayz', id, plain)
  await goesBy('bridge')
  await engine.containers.connect('away', id, { ...plain, driverOptions: { 'com.docker.network.endpoint.ifname': 'lan0' } })
  await goesBy('away')
  expect(await defaultRoute(id)).toContain('dev lan0')
  await engine.containers.disconnect('wayz', id, false)
  await engine.containers.connect('wayz', id, { ...plain, gatewayPriority: 5 })
  await goesBy('wayz')
  await engine.containers.restart(id, { timeoutSeconds: 0 })
  await goesBy('wayz')
  expect(await defaultRoute(id)).toContain('dev eth0')
  await engine.containers.disconnect('wayz', id, false)
  await goesBy('away')
  for (const name of ['a/b', 'x'.repeat(16), '..'])
    await expect(
      engine.containers.connect('wayz', id, { ...plain, driverOptions: { 'com.docker.network.endpoint.ifname': name } }),
    ).rejects.toThrow('cannot name an interface')
})
