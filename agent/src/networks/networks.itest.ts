/** The room on its own, in a network namespace of the test: real bridges, real nftables, real DNS packets. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decode, encode } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEvents, type EventBus } from '../events/create-events.ts'
import { createNetworks } from './create-networks.ts'
import type { Networks } from './networks.ts'

const instance = 'bnt'
const pools = [{ base: '10.231.0.0/16', size: 24 }]
let dataRoot: string
let events: EventBus
let networks: Networks

const sh = (command: string) => execFileSync('bash', ['-c', command], { encoding: 'utf8' })
const input = (id: string, more: Partial<Parameters<Networks['lease']>[0]> = {}): Parameters<Networks['lease']>[0] => ({
  id: id.repeat(64).slice(0, 64),
  name: `c${id}`,
  hostname: `h${id}`,
  networks: [{ network: 'bridge', config: { aliases: [], links: [] } }],
  ports: [],
  mac: '',
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  links: [],
  ...more,
})
const port = (hostPort: number, protocol: 'tcp' | 'udp' = 'tcp', hostIp = '') => ({ containerPort: 80, protocol, hostIp, hostPort })
const plain = { driver: 'bridge', internal: false, ipv6: false, attachable: false, pools: [], labels: {}, options: {} }
/** Asks the name service at `gateway`, from the address `from` of this machine if given. */
const askName = (gateway: string, name: string, type: 'A' | 'AAAA' | 'PTR', from?: string) =>
  new Promise<{ rcode: number; data: unknown[] }>((resolve, reject) => {
    const socket = createSocket('udp4')
    const timer = setTimeout(() => reject(new Error('no answer')), 6000)
    socket.once('message', (message) => {
      clearTimeout(timer)
      socket.close()
      const answer = decode(message)
      resolve({ rcode: (answer.flags ?? 0) & 15, data: (answer.answers ?? []).map((one) => ('data' in one ? one.data : null)) })
    })
    socket.bind(0, from, () => socket.send(encode({ type: 'query', id: 7, flags: 256, questions: [{ type, name }] }), 53, gateway))
  })
/** Waits for what the kernel's notices set off. */
async function eventually(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !check(); tries++) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(check()).toBe(true)
}

beforeEach(async () => {
  dataRoot = mkdtempSync(join(tmpdir(), 'berth-networks-'))
  events = await createEvents({ dataRoot })
  networks = createNetworks({ instance, dataRoot, pools, events })
  await networks.open()
})
afterEach(async () => {
  for (const network of networks.list({ type: ['custom'] })) {
    for (const endpoint of network.endpoints) await networks.release(endpoint.containerId)
    await networks.remove(network.id)
  }
  await networks.close()
  await events.close()
  sh(`ip link delete ${instance}0; nft delete table inet ${instance}`)
  rmSync(dataRoot, { recursive: true, force: true })
})

describe('lease', () => {
  it('gives addresses in order, and takes them back', async () => {
    const first = await networks.lease(input('1'))
    const second = await networks.lease(input('2'))
    expect([first.attached[0]?.ipv4, second.attached[0]?.ipv4]).toEqual(['10.231.0.2', '10.231.0.3'])
    expect(first.monitor.attachments[0]).toMatchObject({
      bridge: `${instance}0`,
      containerName: 'eth0',
      mac: '02:42:0a:e7:00:02',
      addresses: ['10.231.0.2/24'],
      gateways: ['10.231.0.1'],
    })
    await networks.release(input('1').id)
    expect((await networks.lease(input('3'))).attached[0]?.ipv4).toBe('10.231.0.2')
    for (const id of ['2', '3']) await networks.release(input(id).id)
  })

  it('writes a rule for each published port and leaves none behind', async () => {
    const lease = await networks.lease(input('1', { ports: [port(28080), port(28081, 'udp', '127.0.0.1')] }))
    expect(lease.ports).toEqual([
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 28080 },
      { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 28080 },
      { containerPort: 80, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 28081 },
    ])
    expect(sh(`nft list map inet ${instance} any4`)).toContain('tcp . 28080 : 10.231.0.2 . 80')
    expect(sh(`nft list map inet ${instance} at4`)).toContain('udp . 127.0.0.1 . 28081 : 10.231.0.2 . 80')
    await networks.release(input('1').id)
    expect(sh(`nft list table inet ${instance}`)).not.toContain('10.231.0.2')
  })

  it('refuses a taken port in words and gives everything back', async () => {
    await networks.lease(input('1', { ports: [port(28082)] }))
    await expect(networks.lease(input('2', { ports: [port(28083), port(28082)] }))).rejects.toThrow(
      'Bind for 0.0.0.0:28082 failed: port is already allocated',
    )
    const third = await networks.lease(input('3', { ports: [port(28083)] }))
    expect(third.attached[0]?.ipv4).toBe('10.231.0.3')
    for (const id of ['1', '3']) await networks.release(input(id).id)
  })

  it('finds a free port of a range, and says when there is none', async () => {
    const range = { ...port(28090), hostPortEnd: 28091 }
    const leases = [await networks.lease(input('1', { ports: [range] })), await networks.lease(input('2', { ports: [range] }))]
    expect(leases.map((lease) => lease.ports[0]?.hostPort)).toEqual([28090, 28091])
    await expect(networks.lease(input('3', { ports: [range] }))).rejects.toMatchObject({ code: 'resource_exhausted' })
    for (const id of ['1', '2']) await networks.release(input(id).id)
  })

  it('is taken over by the next agent', async () => {
    const lease = await networks.lease(input('1', { ports: [port(28084)] }))
    await networks.close()
    networks = createNetworks({ instance, dataRoot, pools, events })
    await networks.open()
    networks.adopt(input('1').id, JSON.parse(JSON.stringify(lease)))
    await eventually(() => sh(`nft list map inet ${instance} any4`).includes('28084'))
    expect(networks.inspect('bridge').endpoints).toMatchObject([{ containerName: 'c1', ipv4: '10.231.0.2/24' }])
    expect((await networks.lease(input('2'))).attached[0]?.ipv4).toBe('10.231.0.3')
    await expect(networks.lease(input('3', { ports: [port(28084)] }))).rejects.toThrow('already allocated')
    for (const id of ['1', '2']) await networks.release(input(id).id)
  })
})

describe('what others do to the host', () => {
  it('writes the table again when somebody flushes or deletes it', async () => {
    await networks.lease(input('1', { ports: [port(28085)] }))
    const whole = sh(`nft list table inet ${instance}`)
    for (const attack of [`nft flush table inet ${instance}`, `nft delete table inet ${instance}`]) {
      sh(attack)
      await eventually(() => sh(`nft list table inet ${instance} 2>/dev/null || true`) === whole)
    }
    await networks.release(input('1').id)
  })

  it('makes a deleted bridge again', async () => {
    sh(`ip link delete ${instance}0`)
    await networks.lease(input('1'))
    expect(sh(`ip -4 -o addr show ${instance}0`)).toContain('10.231.0.1/24')
    // Without it published ports do not answer on 127.0.0.1.
    expect(sh(`cat /proc/sys/net/ipv4/conf/${instance}0/route_localnet`).trim()).toBe('1')
    await networks.release(input('1').id)
  })
})

describe('the address of a bridge’s device', () => {
  const mac = () => sh(`cat /sys/class/net/${instance}0/address`).trim()
  const addPort = (address: string) =>
    sh(`ip link add bntport address ${address} type veth peer name bntpeer && ip link set bntport master ${instance}0`)
  afterEach(() => {
    sh('ip link delete bntport')
  })

  it('stays when containers come and go: their neighbour tables hold it', async () => {
    const before = mac()
    addPort('02:00:00:00:00:01')
    expect(mac()).toBe(before)
  })

  it('is held from then on, where an older agent made the bridge without', async () => {
    await networks.close()
    sh(`ip link delete ${instance}0 && ip link add ${instance}0 type bridge`)
    networks = createNetworks({ instance, dataRoot, pools, events })
    await networks.open()
    const before = mac()
    addPort('02:00:00:00:00:01')
    expect(mac()).toBe(before)
  })
})

describe('networks of one’s own', () => {
  it('chooses what nobody uses, refuses overlaps, and removes the device', async () => {
    const made = await networks.create({ ...plain, name: 'n1' })
    expect(made.pools).toEqual([{ subnet: '10.231.1.0/24', gateway: '10.231.1.1' }])
    expect(sh(`ip -4 -o addr show ${made.bridge}`)).toContain('10.231.1.1/24')
    await expect(networks.create({ ...plain, name: 'n2', pools: [{ subnet: '10.231.1.128/25' }] })).rejects.toThrow('Pool overlaps')
    await expect(networks.create({ ...plain, name: 'n1' })).rejects.toMatchObject({ code: 'already_exists' })
    await expect(networks.create({ ...plain, name: 'n3', driver: 'overlay' })).rejects.toMatchObject({ code: 'not_found' })
    await networks.remove('n1')
    expect(sh(`ip link show ${made.bridge} 2>&1 || true`)).toContain('does not exist')
    await expect(networks.remove('bridge')).rejects.toThrow('pre-defined')
  })

  it('answers names, aliases and addresses', async () => {
    const { pools: made } = await networks.create({ ...plain, name: 'n1', ipv6: true })
    const gateway = made[0]?.gateway as string
    const config = { aliases: ['web'], links: [] }
    await networks.lease(input('a', { networks: [{ network: 'n1', config }] }))
    const lease = await networks.lease(input('b', { networks: [{ network: 'n1', config: { aliases: [], links: [] } }] }))
    expect([lease.resolvConf.split('\n')[0], lease.monitor.nameServer]).toEqual(['nameserver 127.0.0.11', gateway])
    const ask = (name: string, type: 'A' | 'AAAA' | 'PTR') => askName(gateway, name, type)
    expect(await ask('ca', 'A')).toEqual({ rcode: 0, data: ['10.231.1.2'] })
    expect(await ask('WEB', 'A')).toEqual({ rcode: 0, data: ['10.231.1.2'] })
    expect((await ask('ca', 'AAAA')).data[0]).toMatch(/^fd/)
    expect(await ask('2.1.231.10.in-addr.arpa', 'PTR')).toEqual({ rcode: 0, data: ['ca.n1'] })
    networks.rename(input('a').id, 'renamed')
    expect((await ask('renamed', 'A')).data).toEqual(['10.231.1.2'])
    for (const id of ['a', 'b']) await networks.release(input(id).id)
  })

  it('knows the alias of a link on the network of that link alone', async () => {
    for (const name of ['n1', 'n2']) await networks.create({ ...plain, name })
    const on = (names: string[], links: string[] = []) => names.map((network) => ({ network, config: { aliases: [], links } }))
    await networks.lease(input('a', { networks: on(['n2']) }))
    const asking = await networks.lease(input('b', { networks: [...on(['n1'], ['ca:here']), ...on(['n2'], ['ca:there'])] }))
    const { ipv4 = '', gateway = '' } = asking.attached[0] ?? {}
    sh(`ip addr add ${ipv4}/32 dev lo`)
    try {
      expect((await askName(gateway, 'there', 'A', ipv4)).data).toEqual(['10.231.2.2'])
      expect((await askName(gateway, 'here', 'A', ipv4)).data).toEqual([])
    } finally {
      sh(`ip addr del ${ipv4}/32 dev lo`)
    }
    for (const id of ['a', 'b']) await networks.release(input(id).id)
  })

  it('joins a running process, with links for it alone, and lets it go', async () => {
    const { bridge } = await networks.create({ ...plain, name: 'n1' })
    await networks.lease(input('a', { networks: [{ network: 'n1', config: { aliases: [], links: [] } }] }))
    const child = spawn('unshare', ['-n', 'sleep', '60'], { stdio: 'ignore' })
    const pid = child.pid as number
    const inside = (command: string) => sh(`nsenter -t ${pid} -n ${command} 2>&1 || true`)
    try {
      await eventually(() => sh(`readlink /proc/${pid}/ns/net`) !== sh('readlink /proc/self/ns/net'))
      const { attached } = await networks.connect(
        'n1',
        { id: input('b').id, name: 'cb', pid, hostname: 'hb' },
        { aliases: [], links: ['ca:db'] },
      )
      expect(attached.ipv4).toBe('10.231.1.3')
      expect(inside('ip -4 -o addr show eth0')).toContain('10.231.1.3/24')
      expect(inside('ip route')).toContain('default via 10.231.1.1')
      // Not awaited in place: the name service is in this very process.
      const { stdout } = await promisify(execFile)('nsenter', [
        '-t',
        String(pid),
        '-n',
        'busybox',
        'nslookup',
        '-type=a',
        'db',
        '127.0.0.11',
      ])
      expect(stdout).toContain('10.231.1.2')
      await networks.disconnect('n1', { id: input('b').id, pid }, false)
      expect(inside('ip -o link')).not.toContain('eth0')
      expect(sh(`ip -o link show master ${bridge}`)).toBe('')
      await expect(networks.disconnect('n1', { id: input('b').id, pid }, false)).rejects.toThrow('is not connected to network n1')
    } finally {
      child.kill('SIGKILL')
    }
    await networks.release(input('a').id)
  })
})
