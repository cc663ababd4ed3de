/** The Docker Engine API as a client sees it, the same few calls for every engine that is measured: one keep-alive connection over its unix socket. */
import { Agent, type IncomingMessage, request } from 'node:http'
import { withinLimit } from './rounds.ts'

export interface DockerApi {
  call<T = unknown>(method: string, path: string, body?: object): Promise<T>
  /** Reads a response to its end and counts its bytes. */
  drain(path: string): Promise<number>
  close(): void
}

/** Calls reject with NoAnswer, which names the engine, when it is silent for longer than the limit of rounds.ts. */
export function dockerApi(name: string, socketPath: string): DockerApi {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const send = (method: string, path: string, body: object | undefined, signal: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      request({ socketPath, agent, signal, method, path: `/v1.41${path}`, headers }, resolve)
        .once('error', reject)
        .end(text)
    })
  const limited = <T>(method: string, path: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const gone = new AbortController()
    return withinLimit({ name }, `${method} ${path}`, work(gone.signal), () => gone.abort())
  }
  const call = async <T>(method: string, path: string, body: object | undefined, signal: AbortSignal): Promise<T> => {
    const response = await send(method, path, body, signal)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
    return (text ? JSON.parse(text.split('\n')[0] as string) : null) as T
  }
  const drain = async (path: string, signal: AbortSignal): Promise<number> => {
    const response = await send('GET', path, undefined, signal)
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`)
    let bytes = 0
    for await (const chunk of response) bytes += (chunk as Buffer).length
    return bytes
  }
  return {
    call: (method, path, body) => limited(method, path, (signal) => call(method, path, body, signal)),
    drain: (path) => limited('GET', path, (signal) => drain(path, signal)),
    close: () => agent.destroy(),
  }
}
