import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { request } from 'undici'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { mendPausedParser } from './paused-parser.ts'

/** One piece, of which the parser asks to stop: then nothing stands between the reader's pause and the connection's end. */
const body = Buffer.alloc(32 * 1024, 'b')
let server: Server
beforeAll(() => mendPausedParser())
afterEach(() => new Promise((done) => server.close(done)))

/** A server that answers like this and closes; resolves to an answer whose body nobody has read while all of it, and the end, arrived. */
async function answerOf(answer: (socket: Socket) => void) {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const response = await request(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { highWaterMark: 16 * 1024 })
  await new Promise((resolve) => setTimeout(resolve, 200))
  return response
}
const head = (fields: string) => `HTTP/1.1 200 OK\r\n${fields}Connection: close\r\n\r\n`

describe('a connection that the server closes while its body waits to be read', () => {
  it.each([
    ['of a told length', (socket: Socket) => socket.write(head(`Content-Length: ${body.length}\r\n`)) && socket.end(body)],
    ['that ends with the connection', (socket: Socket) => socket.write(head('')) && socket.end(body)],
    [
      'in chunks',
      (socket: Socket) => {
        socket.write(head('Transfer-Encoding: chunked\r\n'))
        socket.end(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]))
      },
    ],
  ])('gives the whole body %s', async (_, answer) => {
    const response = await answerOf((socket) => void answer(socket))
    expect(Buffer.from(await response.body.arrayBuffer()).equals(body)).toBe(true)
  })

  it.each([
    ['shorter than its length', (socket: Socket) => socket.write(head(`Content-Length: ${body.length + 1}\r\n`)) && socket.end(body)],
    [
      'without its last chunk',
      (socket: Socket) => {
        socket.write(head('Transfer-Encoding: chunked\r\n'))
        socket.end(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]))
      },
    ],
    [
      'broken off by a reset',
      (socket: Socket) => {
        socket.write(head(`Content-Length: ${body.length * 2}\r\n`))
        socket.write(body, () => socket.resetAndDestroy())
      },
    ],
  ])('fails for a body %s', async (_, answer) => {
    const response = await answerOf((socket) => void answer(socket))
    await expect(response.body.arrayBuffer()).rejects.toThrow()
  })
})
