import { EngineError } from '../errors.ts'
import type { Attachment } from '../tasks/tasks.ts'
import { type Call, flag, type Route } from './call.ts'
import { repeatLog } from './logs.ts'

/** `GET /containers/{id}/attach/ws`: attach for those who have no raw connections. Bytes as they are, without headers of streams, in binary messages. */

/** Bytes on the way to the client that are not acknowledged by its socket yet. */
const window = 256 * 1024
/** One message of input. */
const largestMessage = 1024 * 1024

async function attachWebsocket(call: Call): Promise<void> {
  const container = call.params[0] as string
  const detail = await call.engine.containers.inspect(container)
  if (detail.state.status === 'paused')
    throw new EngineError('failed_precondition', `container ${container} is paused, unpause the container before attach`)
  const { upgrade } = call
  if (!upgrade || call.request.headers.upgrade?.toLowerCase() !== 'websocket')
    throw new EngineError('invalid_argument', 'attach/ws needs a WebSocket handshake')
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({ noServer: true, maxPayload: largestMessage, perMessageDeflate: false })
  const stream = flag(call.query, 'stream')
  const stdin = stream && flag(call.query, 'stdin') && detail.options.openStdin
  await new Promise<void>((resolve, reject) => {
    server.handleUpgrade(call.request, upgrade.socket, upgrade.head, (socket) => {
      let attachment: Attachment | null = null
      let turn = Promise.resolve()
      const send = (bytes: Buffer) => socket.send(bytes, { binary: true }, () => attachment?.credit(bytes.length))
      const end = () => socket.close()
      socket.on('error', () => socket.terminate())
      socket.once('close', () => {
        attachment?.close()
        resolve()
      })
      socket.on('message', (data: Buffer) => {
        if (!stdin) return
        // One at a time: a process that does not read holds the client.
        socket.pause()
        turn = turn
          .then(() => attachment?.write(data))
          .catch(() => undefined)
          .then(() => socket.resume())
      })
      if (!stream) {
        const wanted = { stdout: flag(call.query, 'stdout'), stderr: flag(call.query, 'stderr'), plain: true }
        const sent = (bytes: Buffer) => new Promise<void>((written) => socket.send(bytes, { binary: true }, () => written()))
        if (flag(call.query, 'logs')) repeatLog(call, detail, wanted, sent).then(end, reject)
        else end()
        return
      }
      socket.pause()
      call.engine.containers
        .attach(
          container,
          {
            stdin,
            stdout: flag(call.query, 'stdout'),
            stderr: flag(call.query, 'stderr'),
            replay: flag(call.query, 'logs'),
            flow: { kind: 'credit', bytes: window },
          },
          {
            stdout: (bytes) => flag(call.query, 'stdout') && send(bytes),
            stderr: (bytes) => flag(call.query, 'stderr') && send(bytes),
            replay: (_, bytes) => send(bytes),
            replayed: () => undefined,
            resized: () => undefined,
            ended: end,
          },
        )
        .then((joined) => {
          attachment = joined
          // It may have gone while it was joined.
          if (socket.readyState !== socket.OPEN) joined.close()
          else socket.resume()
        })
        .catch((error: unknown) => {
          socket.terminate()
          reject(error)
        })
    })
  })
}

export const attachWebsocketRoutes: readonly Route[] = [['GET', /^\/containers\/([^/]+)\/attach\/ws$/, attachWebsocket]]
