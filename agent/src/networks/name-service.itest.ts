/** The name service on a loopback address: real sockets, real DNS packets. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket as TcpSocket } from 'node:net'
import { decode, encode } from 'dns-packet'
import { afterEach, expect, it } from 'vitest'
import { NameService } from './name-service.ts'

const address = '127.0.0.77'
/** Answers no question about `dead.example`, any other with no records. */
const resolverAddress = '127.0.0.76'
let service: NameService
const open: (Socket | TcpSocket)[] = []
afterEach(async () => {
  for (const socket of open.splice(0)) 'destroy' in socket ? socket.destroy() : socket.close()
  await service.close()
})

const question = (id: number, name: string) => encode({ type: 'query', id, questions: [{ type: 'A', name }] })
const codeOf = (answer: Buffer) => (decode(answer) as { rcode?: string }).rcode ?? ''

/** The answer's code to a question for `name`, asked from an address. */
async function ask(name: string, from = '127.0.0.1'): Promise<string> {
  const socket = createSocket('udp4').bind(0, from)
  open.push(socket)
  socket.send(question(7, name), 53, address)
  const [answer] = (await once(socket, 'message')) as [Buffer]
  return codeOf(answer)
}

/** The same by TCP; 'closed' when the service has no place for the connection. */
async function askByTcp(name: string, from: string): Promise<string> {
  const socket = connect({ host: address, port: 53, localAddress: from })
  open.push(socket)
  const message = question(7, name)
  socket.write(Buffer.concat([Buffer.from([0, message.length]), message]))
  return Promise.race([
    once(socket, 'data').then(([answer]) => codeOf((answer as Buffer).subarray(2))),
    once(socket, 'close').then(() => 'closed'),
  ]).catch(() => 'closed')
}

/** Opens the service with a resolver that says of each question what it was. */
async function openWithResolver(): Promise<{ asked: string[] }> {
  const asked: string[] = []
  const resolver = createSocket('udp4').bind(53, resolverAddress)
  open.push(resolver)
  resolver.on('message', (message, from) => {
    const { id, questions } = decode(message)
    const name = questions?.[0]?.name as string
    asked.push(name)
    if (name !== 'dead.example') resolver.send(encode({ type: 'response', id, questions }), from.port, from.address)
  })
  await once(resolver, 'listening')
  service = new NameService(
    { addresses: (name) => (name === 'own' ? { ipv4: [], ipv6: [] } : null), nameOf: () => null, resolvers: () => [] },
    () => [resolverAddress],
  )
  await service.open([address])
  return { asked }
}

it('answers that it failed where the host has no way to its resolvers, and goes on', async () => {
  // The kernel refuses both at connect(2): a broadcast address, and a link-local one without its link.
  service = new NameService({ addresses: () => null, nameOf: () => null, resolvers: () => [] }, () => ['255.255.255.255', 'fe80::1'])
  await service.open([address])
  expect(await ask('nosuch.example')).toBe('SERVFAIL')
  expect(await ask('nosuch.example')).toBe('SERVFAIL')
})

it('refuses a container that has too many questions under way, and answers its neighbours', async () => {
  const { asked } = await openWithResolver()
  const greedy = createSocket('udp4').bind(0, '127.0.0.78')
  open.push(greedy)
  const answers: string[] = []
  greedy.on('message', (answer) => answers.push(codeOf(answer)))
  // In portions, because a socket's buffer holds some hundreds.
  for (let sent = 0; sent < 600; sent += 50) {
    for (let id = sent; id < sent + 50; id++) greedy.send(question(id, 'dead.example'), 53, address)
    await expect.poll(() => answers.length + asked.length).toBeGreaterThanOrEqual(sent + 50)
  }
  expect(new Set(answers)).toEqual(new Set(['REFUSED']))
  expect(answers.length).toBe(600 - 64)
  expect(await ask('alive.example', '127.0.0.79')).toBe('NOERROR')
  // What is ours is answered to everybody.
  expect(await ask('own', '127.0.0.78')).toBe('NOERROR')
})

it('closes what one container opens beyond its share by TCP, and answers its neighbours', async () => {
  await openWithResolver()
  const idle = Array.from({ length: 300 }, () => connect({ host: address, port: 53, localAddress: '127.0.0.78' }))
  open.push(...idle)
  let closed = 0
  for (const socket of idle) socket.on('error', () => {}).on('close', () => (closed += 1))
  await expect.poll(() => closed).toBe(300 - 16)
  expect(await askByTcp('own', '127.0.0.78')).toBe('closed')
  expect(await askByTcp('own', '127.0.0.79')).toBe('NOERROR')
  // A place that is given back can be had again.
  for (const socket of idle) socket.destroy()
  await expect.poll(() => askByTcp('own', '127.0.0.78')).toBe('NOERROR')
})
