// berth-monitor's network: bridge attachments, reserved ports and their relays. The "host" is a network namespace of the test's own.
import { execFileSync, spawn } from 'node:child_process'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type AttachClient, frame, MonitorHarness, type Started, until } from './monitor-harness.ts'

const harness = new MonitorHarness()
const netns = harness.makeNetns('vtbr0', '172.31.201.1/24')
execFileSync('ip', ['-n', netns, 'addr', 'add', 'fd00:201::1/64', 'dev', 'vtbr0', 'nodad'])
const inHost = (...command: string[]) => execFileSync('nsenter', [`--net=/run/netns/${netns}`, ...command], { encoding: 'utf8' })

afterAll(() => harness.close())

async function stop(started: Started) {
  harness.signal(started, 'SIGKILL')
  await harness.gone(started)
}

afterEach(async () => {
  for (const started of harness.started.splice(0)) {
    try {
      harness.signal(started, 'SIGKILL')
    } catch {
      // it has ended already
    }
    await harness.gone(started)
  }
  expect(await harness.remains()).toEqual([])
})

function attachment(last: number, more: Record<string, unknown> = {}) {
  return {
    bridge: 'vtbr0',
    hostName: `vbtest${last}`,
    containerName: 'eth0',
    mac: `02:42:ac:1f:c9:${last.toString(16).padStart(2, '0')}`,
    addresses: [`172.31.201.${last}/24`, `fd00:201::${last}/64`],
    gateways: ['172.31.201.1', 'fd00:201::1'],
    mtu: 1400,
    ...more,
  }
}

function port(hostPort: number, last: number, more: Record<string, unknown> = {}) {
  return { proto: 'tcp', hostIp: '0.0.0.0', hostPort, containerIp: `172.31.201.${last}`, containerPort: 80, ...more }
}

/** What a program on the host gets when it connects, sends and half-closes. */
async function talk(address: string, number: number, text: string): Promise<string> {
  const script = `const s=require('net').connect(${number},'${address}');s.on('data',d=>process.stdout.write(d));s.on('error',e=>{console.log(e.code)});s.on('connect',()=>process.stdin.pipe(s))`
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdin.on('error', () => {}) // it has ended before reading
  child.stdin.end(text)
  child.stdout.on('data', (bytes) => {
    out += bytes
  })
  await new Promise((resolve) => child.once('close', resolve))
  return out
}

/** A TCP server in the container that sends back what it gets. */
const echoServer = ['sh', '-c', 'echo ready; exec nc -ll -p 80 -e cat']

async function ready(started: Started) {
  await until('the server', () => harness.log(started).includes('ready'))
  await until('its socket', () => inContainer(started, 'ss', '-ltnH').includes(':80'))
}

const inContainer = (started: Started, ...command: string[]) =>
  execFileSync('nsenter', [`--net=/proc/${started.answer.pid}/ns/net`, ...command], { encoding: 'utf8' })

describe('attachments', () => {
  it('give the container its interface, addresses and routes, and the bridge its port', async () => {
    const started = await harness.start({ args: ['sleep', '1000'], netns, network: { attachments: [attachment(2)], ports: [] } })
    expect(started.answer).toMatchObject({ ok: true })
    const [lo, eth0] = JSON.parse(inContainer(started, 'ip', '-j', 'addr'))
    expect(lo).toMatchObject({ ifname: 'lo', flags: expect.arrayContaining(['UP']) })
    expect(eth0).toMatchObject({ ifname: 'eth0', address: '02:42:ac:1f:c9:02', mtu: 1400, operstate: 'UP' })
    expect(eth0.addr_info).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ local: '172.31.201.2', prefixlen: 24, broadcast: '172.31.201.255' }),
        expect.objectContaining({ local: 'fd00:201::2', prefixlen: 64 }),
      ]),
    )
    expect(eth0.addr_info.find((a: { local: string }) => a.local === 'fd00:201::2').tentative).toBeUndefined()
    expect(inContainer(started, 'ip', 'route')).toContain('default via 172.31.201.1 dev eth0')
    expect(inContainer(started, 'ip', '-6', 'route')).toContain('default via fd00:201::1 dev eth0')
    expect(JSON.parse(inHost('ip', '-j', 'link', 'show', 'vbtest2'))[0]).toMatchObject({ master: 'vtbr0', mtu: 1400 })
    inHost('ping', '-c1', '-W2', '172.31.201.2')
    inHost('ping', '-6', '-c1', '-W2', 'fd00:201::2')
    await stop(started)
    expect(() => inHost('ip', 'link', 'show', 'vbtest2')).toThrow()
  })

  it('may be several', async () => {
    const second = attachment(4, { hostName: 'vbtest4b', containerName: 'eth1', gateways: [] })
    const started = await harness.start({ args: ['sleep', '1000'], netns, network: { attachments: [attachment(3), second], ports: [] } })
    const names = JSON.parse(inContainer(started, 'ip', '-j', 'link')).map((link: { ifname: string }) => link.ifname)
    expect(names).toEqual(['lo', 'eth0', 'eth1'])
  })

  it('keep isolated ones apart', async () => {
    const isolated = (last: number) => ({ attachments: [attachment(last, { isolated: true })], ports: [] })
    const one = await harness.start({ args: ['sleep', '1000'], netns, network: isolated(20) })
    await harness.start({ args: ['sleep', '1000'], netns, network: isolated(21) })
    inContainer(one, 'ping', '-c1', '-W2', '172.31.201.1')
    expect(() => inContainer(one, 'ping', '-c1', '-W1', '172.31.201.21')).toThrow()
  })

  it('send what is asked of 127.0.0.11 to the name server', async () => {
    const network = { attachments: [attachment(22)], ports: [], nameServer: '172.31.201.1' }
    const started = await harness.start({ args: ['sleep', '1000'], netns, network })
    expect(started.answer).toMatchObject({ ok: true })
    const server = `const d=require('dgram').createSocket('udp4');d.on('message',(m,f)=>{d.send('from '+f.address,f.port,f.address,()=>d.close())});d.bind(53,'172.31.201.1',()=>console.log('up'))`
    const child = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const asker = `const d=require('dgram').createSocket('udp4');d.connect(53,'127.0.0.11',()=>d.send('x'));d.on('message',m=>{console.log(String(m));d.close()});setTimeout(()=>process.exit(1),5000).unref()`
    expect(inContainer(started, process.execPath, '-e', asker)).toBe('from 172.31.201.22\n')
    // What may leave with a loopback source must not open loopback to the neighbours.
    expect(inContainer(started, 'nft', 'list', 'table', 'ip', 'berth_names')).toContain('ip daddr 127.0.0.0/8 drop')
  })

  it('replace a link that a killed monitor has left', async () => {
    inHost('ip', 'link', 'add', 'vbtest5', 'type', 'veth', 'peer', 'name', 'vbtest5p')
    const started = await harness.start({ args: ['sleep', '1000'], netns, network: { attachments: [attachment(5)], ports: [] } })
    expect(started.answer).toMatchObject({ ok: true })
    expect(JSON.parse(inHost('ip', '-j', 'link', 'show', 'vbtest5'))[0]).toMatchObject({ master: 'vtbr0' })
  })

  it('fail with the name of what is missing, and leave nothing', async () => {
    const noBridge = await harness.start({ netns, network: { attachments: [attachment(6, { bridge: 'vtbr9' })], ports: [] } })
    expect(noBridge.answer).toMatchObject({ ok: false, step: 'network', code: 'not_found' })
    expect(noBridge.answer.message).toContain('vtbr9')
    const badGateway = await harness.start({ netns, network: { attachments: [attachment(7, { gateways: ['10.9.8.7'] })], ports: [] } })
    expect(badGateway.answer).toMatchObject({ ok: false, step: 'network' })
    const hostNetwork = await harness.start({ netns, hostNetwork: true, network: { attachments: [attachment(8)], ports: [] } })
    expect(hostNetwork.answer).toMatchObject({ ok: false, step: 'network', code: 'invalid_argument' })
  })

  it('leave the host namespace alone when the container shares it', async () => {
    // Names and addresses only: carrier, state and duplicate address detection follow an earlier container's end a moment late, as its own link may.
    type Link = { ifname: string; address: string; mtu: number; addr_info: { local: string; prefixlen: number }[] }
    const links = () => JSON.parse(inHost('ip', '-j', 'addr')) as Link[]
    const addresses = () =>
      links().map(({ ifname, address, mtu, addr_info }) => [
        ifname,
        address,
        mtu,
        ...addr_info.map((a) => `${a.local}/${a.prefixlen}`).sort(),
      ])
    await until('the end of earlier links', () => !links().some(({ ifname }) => ifname.startsWith('vbtest')))
    const before = addresses()
    const started = await harness.start({ args: ['ip', 'addr'], netns, hostNetwork: true })
    await harness.gone(started)
    expect(harness.logText(started)).toContain('vtbr0')
    expect(addresses()).toEqual(before)
  })
})

describe('ports', () => {
  it('are reserved while the container lives, in Docker words for the next one', async () => {
    const network = { attachments: [attachment(10)], ports: [port(18080, 10)] }
    const first = await harness.start({ args: ['sleep', '1000'], netns, network })
    expect(first.answer).toMatchObject({ ok: true })
    const second = await harness.start({ netns, network: { attachments: [attachment(11)], ports: [port(18081, 11), port(18080, 11)] } })
    expect(second.answer).toMatchObject({
      ok: false,
      step: 'ports',
      code: 'failed_precondition',
      message: 'Bind for 0.0.0.0:18080 failed: port is already allocated',
    })
    expect(inHost('ss', '-ltnH')).not.toContain(':18081')
    await stop(first)
    const third = await harness.start({ args: ['sleep', '1000'], netns, network })
    expect(third.answer).toMatchObject({ ok: true })
  })

  it('relay TCP both ways and keep half-closed connections, by IPv4 and IPv6', async () => {
    const ports = [port(18082, 12), port(18082, 12, { hostIp: '::' })]
    const started = await harness.start({ args: echoServer, netns, network: { attachments: [attachment(12)], ports } })
    await ready(started)
    const long = 'x'.repeat(3_000_000)
    expect(await talk('127.0.0.1', 18082, 'hello')).toBe('hello')
    expect(await talk('::1', 18082, 'hello six')).toBe('hello six')
    expect((await talk('172.31.201.1', 18082, long)) === long).toBe(true)
    const many = await Promise.all(Array.from({ length: 8 }, (_, i) => talk('127.0.0.1', 18082, `number ${i}`)))
    expect(many).toEqual(Array.from({ length: 8 }, (_, i) => `number ${i}`))
  })

  it('close a connection that nobody in the container takes', async () => {
    const started = await harness.start({
      args: ['sleep', '1000'],
      netns,
      network: { attachments: [attachment(13)], ports: [port(18083, 13)] },
    })
    expect(await talk('127.0.0.1', 18083, 'hello')).toMatch(/^((ECONNRESET|EPIPE)\n)?$/)
    expect(started.answer.ok).toBe(true)
  })

  it('relay UDP, and answer from the address that was asked', async () => {
    const ports = [port(18084, 14, { proto: 'udp', containerPort: 53 })]
    const started = await harness.start({
      args: ['sh', '-c', 'read x'],
      netns,
      network: { attachments: [attachment(14)], ports },
      attachFds: 1,
    })
    // busybox has no UDP server: one in the container's namespace does as well.
    const server = spawn('nsenter', [
      `--net=/proc/${started.answer.pid}/ns/net`,
      process.execPath,
      '-e',
      `const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send('re:'+m,r.port,r.address));s.bind(53,()=>console.log('bound'))`,
    ])
    try {
      await new Promise((resolve) => server.stdout.once('data', resolve))
      const ask = `const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>{console.log(m+' '+r.address);s.close()});s.send('q1',18084,process.argv[1])`
      expect(inHost(process.execPath, '-e', ask, '127.0.0.1')).toBe('re:q1 127.0.0.1\n')
      expect(inHost(process.execPath, '-e', ask, '172.31.201.1')).toBe('re:q1 172.31.201.1\n')
    } finally {
      server.kill('SIGKILL')
    }
    const client = started.clients[0]?.hello()
    await client?.waitFor(frame.welcome)
    client?.send(frame.closeStdin)
    await client?.exit()
  })

  it('are bound, led elsewhere and given back while the process runs', async () => {
    const started = await harness.start({
      args: echoServer,
      netns,
      network: { attachments: [attachment(16)], ports: [port(18085, 16)] },
      attachFds: 1,
    })
    const client = started.clients[0]?.hello() as AttachClient
    expect(JSON.parse((await client.waitFor(frame.welcome)).payload.toString())).toMatchObject({ setsPorts: true })
    await ready(started)
    let answers = 0
    const set = async (plan: Record<string, unknown>): Promise<unknown> => {
      client.send(frame.port, JSON.stringify(plan))
      answers++
      return JSON.parse((await until('the answer', () => client.of(frame.portSet)[answers - 1])).payload.toString())
    }
    const listening = () => inHost('ss', '-lntuH')

    expect(await set(port(18086, 16))).toEqual({})
    expect(await talk('127.0.0.1', 18086, 'new')).toBe('new')
    expect(await set(port(18087, 16, { proto: 'udp' }))).toEqual({})
    expect(listening()).toContain(':18087')

    // A second address of the container's takes over, and the connection to the first one ends.
    inContainer(started, 'ip', 'addr', 'add', '172.31.201.17/24', 'dev', 'eth0')
    const kept = new Promise<string>((resolve) => {
      const script = `const s=require('net').connect(18086,'127.0.0.1',()=>s.write('x'));s.on('data',()=>console.log('open'));s.on('error',()=>{});s.on('close',()=>console.log('closed'))`
      const child = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let out = ''
      child.stdout.on('data', (bytes: Buffer) => {
        const first = out === ''
        out += bytes
        if (first) client.send(frame.port, JSON.stringify(port(18086, 17)))
      })
      child.once('close', () => resolve(out))
    })
    expect(await kept).toBe('open\nclosed\n')
    answers++
    expect(await talk('127.0.0.1', 18086, 'moved')).toBe('moved')
    expect(await set(port(18086, 17, { containerPort: 81 }))).toEqual({})
    expect(await talk('127.0.0.1', 18086, 'to nobody')).not.toBe('to nobody')

    for (const plan of [port(18085, 16), port(18086, 17), port(18087, 16, { proto: 'udp' }), port(18088, 16)])
      expect(await set({ ...plan, containerIp: '' })).toEqual({})
    expect(listening()).not.toMatch(/:1808[5678]/)

    // What another program holds stays its own; nonsense is answered, and the process goes on.
    const other = await harness.start({
      args: ['sleep', '1000'],
      netns,
      network: { attachments: [attachment(18)], ports: [port(18089, 18)] },
    })
    expect(other.answer).toMatchObject({ ok: true })
    expect(await set(port(18089, 16))).toEqual({
      code: 'failed_precondition',
      message: 'Bind for 0.0.0.0:18089 failed: port is already allocated',
    })
    for (const nonsense of [{}, port(0, 16), port(18085, 16, { containerIp: 'x' }), port(18085, 16, { proto: 'sctp' })])
      expect(await set(nonsense)).toMatchObject({ code: 'invalid_argument' })
    expect(await set(port(18085, 17))).toEqual({})
    expect(await talk('127.0.0.1', 18085, 'again')).toBe('again')
  })

  it('lead UDP elsewhere', async () => {
    const plan = (last: number) => port(18091, last, { proto: 'udp', containerPort: 53 })
    const started = await harness.start({
      args: ['sleep', '1000'],
      netns,
      network: { attachments: [attachment(19)], ports: [plan(19)] },
      attachFds: 1,
    })
    const client = started.clients[0]?.hello() as AttachClient
    await client.waitFor(frame.welcome)
    inContainer(started, 'ip', 'addr', 'add', '172.31.201.20/24', 'dev', 'eth0')
    const server = spawn('nsenter', [
      `--net=/proc/${started.answer.pid}/ns/net`,
      process.execPath,
      '-e',
      `let n=0;for(const a of ['172.31.201.19','172.31.201.20']){const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send(a,r.port,r.address));s.bind(53,a,()=>{if(++n===2)console.log('bound')})}`,
    ])
    try {
      await new Promise((resolve) => server.stdout.once('data', resolve))
      // One socket, so one peer: it must be led elsewhere too.
      const ask = `const s=require('dgram').createSocket('udp4');let n=0;s.on('message',(m)=>{console.log(String(m));if(++n===2)s.close()});process.stdin.on('data',()=>s.send('q',18091,'127.0.0.1')).on('end',()=>{})`
      const asking = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '-e', ask], { stdio: ['pipe', 'pipe', 'inherit'] })
      let said = ''
      asking.stdout.on('data', (bytes: Buffer) => {
        said += bytes
      })
      asking.stdin.write('1')
      await until('the first answer', () => said.includes('\n'))
      client.send(frame.port, JSON.stringify(plan(20)))
      await client.waitFor(frame.portSet)
      asking.stdin.end('2')
      await new Promise((resolve) => asking.once('close', resolve))
      expect(said).toBe('172.31.201.19\n172.31.201.20\n')
    } finally {
      server.kill('SIGKILL')
    }
  })

  it('do not take the descriptors that the container may have', async () => {
    const ports = Array.from({ length: 300 }, (_, i) => port(19000 + i, 15))
    const plain = await harness.start({ args: ['sh', '-c', 'ulimit -n'], netns })
    const started = await harness.start({ args: ['sh', '-c', 'ulimit -n'], netns, network: { attachments: [attachment(15)], ports } })
    await harness.gone(plain)
    await harness.gone(started)
    expect(harness.logText(started)).toBe(harness.logText(plain))
  })
})
