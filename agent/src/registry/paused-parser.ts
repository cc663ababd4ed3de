import { Socket } from 'node:net'
import { Client } from 'undici'

/** What undici's HTTP/1 parser (lib/dispatcher/client-h1.js) has that is of interest here. */
interface Parser {
  paused: boolean
  /** Of llhttp; null once the connection is given up. */
  ptr: number | null
  llhttp: { llhttp_resume(ptr: number): void }
  socket: Socket
  resume(): void
  finish(): Error | null
}

let mended = false

/**
 * undici 7 throws from the socket's own 'end' handler, where nobody can catch it and the process ends, when a server closes a connection (`Connection: close`) whose body is being
 * read slowly: `assert(!this.paused)` in Parser.finish (its issue 5360). Version 8 drains the parser there, but wants Node.js 22; this does the same to version 7: what has arrived
 * goes through a paused parser, which only buffers it, and the end is judged after that. A body that was cut off still fails, by its length or its chunks.
 *
 * The class is not exported: a connection that is never made shows it. Once for the process.
 * @throws Error when undici has changed so much that this no longer fits
 */
export async function mendPausedParser(): Promise<void> {
  if (mended) return
  const socket = new Socket()
  const client = new Client('http://localhost', {
    connect: (_options, answer) => {
      answer(null, socket)
    },
  })
  const asked = client.request({ path: '/', method: 'GET' }).catch(() => undefined)
  const symbol = Object.getOwnPropertySymbols(socket).find((one) => one.description === 'parser')
  const parser = symbol && ((socket as unknown as Record<symbol, unknown>)[symbol] as Parser | null)
  if (!parser) throw new Error('this undici keeps its parser elsewhere; see registry/paused-parser.ts')
  mend(Object.getPrototypeOf(parser) as Parser)
  mended = true
  await client.destroy()
  await asked
}

function mend(prototype: Parser): void {
  const { finish } = prototype
  prototype.finish = function (this: Parser) {
    while (this.paused && !this.socket.destroyed && this.ptr !== null) {
      const wasLast = this.socket.readableLength === 0
      this.resume()
      if (wasLast) break
    }
    if (this.ptr === null) return null
    // A body that only the connection's end ends stays paused; what comes next is that end.
    if (this.paused) this.llhttp.llhttp_resume(this.ptr)
    this.paused = false
    return finish.call(this)
  }
}
