/** The Docker Engine API as a client sees it, the same few calls for every engine that is measured: one keep-alive connection over its unix socket. */
import { Agent, type IncomingMessage, request } from 'node:http'

export interface DockerApi {
  call<T = unknown>(method: string, path: string, body?: object): Promise<T>
  /** Reads a response to its end and counts its bytes. */
  drain(path: string): Promise<number>
  close(): void
}

export function dockerApi(socketPath: string): DockerApi {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const send = (method: string, path: string, body?: object) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      request({ socketPath, agent, method, path: `/v1.41${path}`, headers }, resolve)
        .once('error', reject)
        .end(text)
    })
  return {
    async call(method, path, body) {
      const response = await send(method, path, body)
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      if ((response.statusCode ?? 500) >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
      return (text ? JSON.parse(text.split('\n')[0] as string) : null) as never
    },
    async drain(path) {
      const response = await send('GET', path)
      if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`)
      let bytes = 0
      for await (const chunk of response) bytes += (chunk as Buffer).length
      return bytes
    },
    close: () => agent.destroy(),
  }
}
