import type { Engine } from '../../engine.ts'
import type { AttachListener, Attachment } from '../../tasks/tasks.ts'

/** A shell on the host as an Attachment: the pty is paused while the viewer has granted no more bytes. It belongs to this stream and ends (SIGHUP) with it. */
export async function openHostConsole(
  openHostTerminal: Engine['openHostTerminal'],
  size: { cols: number; rows: number; credit: number },
  listener: AttachListener,
): Promise<Attachment> {
  let credit = size.credit
  const startedAt = new Date().toISOString()
  const terminal = await openHostTerminal({
    cols: size.cols,
    rows: size.rows,
    data(bytes) {
      credit -= bytes.length
      if (credit <= 0) terminal.pause()
      listener.stdout(bytes)
    },
    exit(exitCode, signal) {
      const status = signal === null ? exitCode : 128 + signal
      listener.ended({ exit: { exitCode: status, signal, oomKilled: false, startedAt, exitedAt: new Date().toISOString() } })
    },
  })
  return {
    terminal: true,
    size: { cols: size.cols, rows: size.rows },
    async write(bytes) {
      terminal.write(bytes)
    },
    closeStdin() {},
    resize: (cols, rows) => terminal.resize(cols, rows),
    signal() {},
    credit(bytes) {
      credit += bytes
      if (credit > 0) terminal.resume()
    },
    close: () => terminal.close(),
  }
}
