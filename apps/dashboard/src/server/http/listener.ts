import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { createServer as createNetServer, type Server, type Socket } from 'node:net'

export interface Listener {
  http: HttpServer
  https: HttpsServer
  /** @returns the port, when it listens. @throws Error `EADDRINUSE`, `EACCES` … */
  listen(port: number, host: string): Promise<number>
  /** Refuses new connections, ends idle ones, gives the others two seconds. */
  close(): Promise<void>
}

/** First byte of a TLS record that begins a handshake (RFC 8446 section 5.1). */
const tlsHandshake = 22
/** A client that connects and says nothing, or sends its headers letter by letter, holds a descriptor no longer than this. */
const slowest = { firstByteMs: 10_000, headersMs: 20_000 }
/** Descriptors are needed for the database and the agents, too. */
const mostConnections = 8_000

/**
 * One port that speaks HTTP and HTTPS: the first byte tells them apart. So the dashboard is reachable safely from another machine without any set-up,
 * and a proxy or a tunnel on the same machine may speak plain HTTP.
 */
export function createListener(handler: RequestListener, tls: { key: string; cert: string }, patience = slowest): Listener {
  const checking = { connectionsCheckingInterval: Math.max(50, patience.headersMs / 4) }
  const http = createHttpServer(checking, handler)
  const https = createHttpsServer({ ...tls, ...checking, minVersion: 'TLSv1.2', handshakeTimeout: patience.firstByteMs }, handler)
  for (const server of [http, https]) {
    // Uploads of archives may take hours; headers may not.
    server.requestTimeout = 0
    server.headersTimeout = patience.headersMs
    server.keepAliveTimeout = 65_000
    // Node looks for slow headers only on a server that listens; these two are handed their connections.
    server.emit('listening')
  }
  const sockets = new Set<Socket>()
  const port: Server = createNetServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(patience.firstByteMs, () => socket.destroy())
    socket.once('readable', () => {
      const bytes = socket.read() as Buffer | null
      if (!bytes || bytes.length === 0) return
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.unshift(bytes)
      ;(bytes[0] === tlsHandshake ? https : http).emit('connection', socket)
    })
  })
  port.maxConnections = mostConnections
  return {
    http,
    https,
    listen: (wanted, host) =>
      new Promise((resolve, reject) => {
        port.once('error', reject)
        port.listen({ port: wanted, host }, () => {
          port.off('error', reject)
          const address = port.address()
          resolve(typeof address === 'object' && address ? address.port : wanted)
        })
      }),
    close: async () => {
      const closed = new Promise<void>((resolve) => port.close(() => resolve()))
      http.closeIdleConnections()
      https.closeIdleConnections()
      const patience = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, 2_000)
      await closed
      clearTimeout(patience)
    },
  }
}
