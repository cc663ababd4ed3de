import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { connect as connectTcp, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet'
import { EngineError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'

/** What one network answers about its own containers; names come in lower case without the final dot. */
export interface NameTable {
  /** @param client address of who asks: links give a name a meaning for one container alone. Null: not ours, ask the host's resolvers */
  addresses(name: string, client: string): { ipv4: string[]; ipv6: string[] } | null
  /** Name of an address of ours, as the asking container may know it. */
  nameOf(address: string, client: string): string | null
  /** Resolvers that the asking container named with --dns; empty = the host's; null = nothing is passed on for it. */
  resolvers(client: string): string[] | null
}

const ttlSeconds = 600
const forwardTimeoutMs = 4_000
/** More questions under way than these are refused, of one container and of all: each holds a socket. */
const mostForwarded = { ofOne: 64, ofAll: 1024 }
/** Idle TCP connections and ones that never finish a question are closed. */
const tcpTimeoutMs = 10_000
/** More TCP connections than these are closed at once. */
const mostTcp = { ofOne: 16, ofAll: 256 }

const noError = 0
const serverFailure = 2
const refused = 5

/**
 * The name service of one bridge, on its gateway address, UDP and TCP. Names of containers are answered from the table, everything else is passed on,
 * bytes as they are, to the resolvers. Packets are hostile: what does not parse is dropped.
 */
export class NameService {
  readonly #table: NameTable
  readonly #resolvers: () => string[]
  readonly #log: Logger | undefined
  readonly #udp: Socket[] = []
  readonly #tcp: Server[] = []
  readonly #connections = new Set<TcpSocket>()
  readonly #forwarded = new Shares(mostForwarded)
  readonly #connected = new Shares(mostTcp)

  /** @param resolvers the host's, read anew for each question because they change with the network that a host is in */
  constructor(table: NameTable, resolvers: () => string[], log?: Logger) {
    this.#table = table
    this.#resolvers = resolvers
    this.#log = log
  }

  /** Listens on the addresses. @throws unavailable when something else holds port 53 there */
  async open(addresses: readonly string[]): Promise<void> {
    try {
      for (const address of addresses) {
        this.#udp.push(await this.#listenUdp(address))
        this.#tcp.push(await this.#listenTcp(address))
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    await Promise.all([
      ...this.#udp.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
      ...this.#tcp.splice(0).map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    ])
  }

  #listenUdp(address: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' })
      socket.once('error', (error) => reject(listenError(address, error)))
      socket.bind({ address, port: 53, exclusive: true }, () => {
        socket.removeAllListeners('error')
        socket.on('error', (error) => this.#log?.warn({ reason: error.message }, 'the name service met an error on a socket'))
        socket.on('message', (message, from) => this.#receive(socket, message, from))
        socket.unref()
        resolve(socket)
      })
    })
  }

  #receive(socket: Socket, message: Buffer, from: RemoteInfo): void {
    this.#answer(message, from.address, false)
      .then((answer) => answer && socket.send(truncated(answer, message), from.port, from.address))
      .catch((error) => this.#log?.debug({ reason: messageOf(error) }, 'a name question could not be answered'))
  }

  #listenTcp(address: string): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#serveTcp(socket))
      server.once('error', (error) => reject(listenError(address, error)))
      server.listen({ host: address, port: 53, exclusive: true }, () => {
        server.unref()
        resolve(server)
      })
    })
  }

  #serveTcp(socket: TcpSocket): void {
    const client = (socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    socket.on('error', () => socket.destroy())
    if (!this.#connected.take(client)) return void socket.destroy()
    this.#connections.add(socket)
    socket.setTimeout(tcpTimeoutMs, () => socket.destroy())
    socket.on('close', () => {
      this.#connections.delete(socket)
      this.#connected.give(client)
    })
    socket.on('end', () => socket.end())
    framed(socket, async (message) => {
      const answer = await this.#answer(message, client, true)
      // Who asks without reading the answers is asked to wait, and cut off by the time limit: what waits for it is one answer.
      if (answer && !socket.destroyed && !socket.write(frame(answer))) await writable(socket)
    })
  }

  /** Null: nothing to say (not a question). */
  async #answer(message: Buffer, client: string, tcp: boolean): Promise<Buffer | null> {
    const query = parse(message)
    const question = query?.questions?.[0]
    if (query?.type !== 'query' || !question) return null
    const own = this.#own(question, client)
    if (own) return respond(query, question, noError, own, true)
    const resolvers = this.#table.resolvers(client)
    if (resolvers === null) return respond(query, question, serverFailure, [], false)
    if (!this.#forwarded.take(client)) return respond(query, question, refused, [], false)
    try {
      const answer = await forward(message, resolvers.length ? resolvers : this.#resolvers(), tcp)
      return answer ?? respond(query, question, serverFailure, [], false)
    } finally {
      this.#forwarded.give(client)
    }
  }

  /** Answers about our containers; null when the name is not one of ours. A name of ours without such an address has no answers, which is not an error. */
  #own(question: Question, client: string): Answer[] | null {
    const name = question.name.toLowerCase().replace(/\.$/, '')
    if (question.type === 'PTR') {
      const target = this.#table.nameOf(addressOfPointer(name), client)
      return target === null ? null : [{ type: 'PTR', name: question.name, ttl: ttlSeconds, data: target }]
    }
    const found = this.#table.addresses(name, client)
    if (!found) return null
    if (question.type === 'A') return shuffled(found.ipv4).map((data) => ({ type: 'A', name: question.name, ttl: ttlSeconds, data }))
    if (question.type === 'AAAA') return shuffled(found.ipv6).map((data) => ({ type: 'AAAA', name: question.name, ttl: ttlSeconds, data }))
    return []
  }
}

/** What is handed out to many askers, of whom one may not have it all: a bound for each of them and one for all together. */
class Shares {
  readonly #most: { ofOne: number; ofAll: number }
  readonly #held = new Map<string, number>()
  #all = 0

  constructor(most: { ofOne: number; ofAll: number }) {
    this.#most = most
  }

  /** @returns false: nothing was taken, the asker or all together hold as much as they may */
  take(client: string): boolean {
    const held = this.#held.get(client) ?? 0
    if (held >= this.#most.ofOne || this.#all >= this.#most.ofAll) return false
    this.#held.set(client, held + 1)
    this.#all += 1
    return true
  }

  /** Gives one back that take() gave. */
  give(client: string): void {
    const held = (this.#held.get(client) ?? 0) - 1
    if (held > 0) this.#held.set(client, held)
    else this.#held.delete(client)
    this.#all -= 1
  }
}

/** Asks one resolver after the other; null when none of them answers. */
async function forward(message: Buffer, resolvers: readonly string[], tcp: boolean): Promise<Buffer | null> {
  for (const resolver of resolvers) {
    const answer = await (tcp ? askTcp(message, resolver) : askUdp(message, resolver)).catch(() => null)
    if (answer) return answer
  }
  return null
}

function listenError(address: string, error: Error): EngineError {
  return new EngineError('unavailable', `the name service cannot listen on ${address}:53: ${error.message}`, { cause: error })
}

function parse(message: Buffer): Packet | null {
  try {
    return decode(message)
  } catch {
    return null
  }
}

function respond(query: Packet, question: Question, rcode: number, answers: Answer[], authoritative: boolean): Buffer {
  const recursionDesired = (query.flags ?? 0) & 0x0100
  return encode({
    type: 'response',
    id: query.id,
    // RA is set: we do recurse, by asking others.
    flags: 0x0080 | recursionDesired | (authoritative ? 0x0400 : 0) | rcode,
    questions: [question],
    answers,
  })
}

/** Over UDP an answer may be as long as the asker said (EDNS) or 512 bytes; a longer one is cut to its head with TC set, and the asker comes again by TCP. */
function truncated(answer: Buffer, query: Buffer): Buffer {
  const additional = parse(query)?.additionals?.find((record) => record.type === 'OPT') as { udpPayloadSize?: number } | undefined
  const limit = Math.max(512, additional?.udpPayloadSize ?? 512)
  if (answer.length <= limit) return answer
  const decoded = parse(answer)
  return encode({ type: 'response', id: decoded?.id, flags: (decoded?.flags ?? 0) | 0x0200, questions: decoded?.questions ?? [] })
}

/** One question to one resolver from a socket of its own (a fresh port each time, RFC 5452); answers with another id or from elsewhere are not heard. */
function askUdp(message: Buffer, resolver: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(resolver.includes(':') ? 'udp6' : 'udp4')
    const finish = (act: () => void) => {
      clearTimeout(timer)
      socket.close()
      act()
    }
    const timer = setTimeout(() => finish(() => reject(new Error(`${resolver} does not answer`))), forwardTimeoutMs)
    socket.once('error', (error) => finish(() => reject(error)))
    // Connected: the kernel drops what comes from another address. A host without a way to its resolver is told here, not by an event.
    socket.connect(53, resolver, (error?: Error) => {
      if (error) return finish(() => reject(error))
      socket.on('message', (answer) => {
        if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) finish(() => resolve(answer))
      })
      socket.send(message)
    })
  })
}

function askTcp(message: Buffer, resolver: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: resolver, port: 53 }, () => socket.write(frame(message)))
    socket.setTimeout(forwardTimeoutMs, () => socket.destroy(new Error(`${resolver} does not answer`)))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${resolver} closed the connection`)))
    framed(socket, async (answer) => {
      resolve(answer)
      socket.destroy()
    })
  })
}

/** RFC 1035 4.2.2: two bytes of length in front of each message. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(message.length)
  return Buffer.concat([head, message])
}

/** Gives one message after the other; what comes meanwhile stays in the kernel. An error ends the connection. */
function framed(socket: TcpSocket, receive: (message: Buffer) => Promise<void>): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    socket.pause()
    work().then(
      () => socket.resume(),
      () => socket.destroy(),
    )
  })
  const work = async () => {
    while (!socket.destroyed && rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      await receive(rest.subarray(2, end))
      rest = rest.subarray(end)
    }
  }
}

function writable(socket: TcpSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const name of ['drain', 'close']) socket.off(name, done)
      resolve()
    }
    for (const name of ['drain', 'close']) socket.on(name, done)
  })
}

/** `2.0.17.172.in-addr.arpa` → `172.17.0.2`, the same for ip6.arpa; '' for anything else. */
function addressOfPointer(name: string): string {
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(name)
  if (v4) return `${v4[4]}.${v4[3]}.${v4[2]}.${v4[1]}`
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)
  if (!v6) return ''
  const digits = (v6[1] as string).split('.').reverse().join('')
  return (digits.match(/..../g) as string[]).join(':')
}

/** Several containers behind one alias share the load by order. */
function shuffled(list: readonly string[]): string[] {
  const start = list.length > 1 ? Math.floor(Math.random() * list.length) : 0
  return [...list.slice(start), ...list.slice(0, start)]
}
