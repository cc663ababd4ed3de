import { openTerminal } from '@berth/contract/stream'
import type * as z from 'zod'
import type { AttachListener, Attachment, AttachOptions } from '../../tasks/tasks.ts'
import { requireUnprivileged } from '../policy.ts'
import { openHostConsole } from './host-console.ts'
import type { OpenStream, StreamContext } from './open-stream.ts'

export const input = openTerminal

/** Joins (or begins) an exec, a container's first process, or a new shell on the host. Output flows within the granted credit only, so a flood slows the program. */
export async function open(
  context: StreamContext,
  request: z.infer<typeof openTerminal>,
): Promise<{ value: { terminal: boolean; cols: number; rows: number; writable: boolean }; open: OpenStream }> {
  const { socket, stream } = context
  const listener: AttachListener = {
    stdout: (bytes) => socket.emit('terminal.output', stream, bytes),
    stderr: (bytes) => socket.emit('terminal.stderr', stream, bytes),
    replay: (_, bytes) => socket.emit('terminal.replay', stream, bytes),
    replayed: () => socket.emit('terminal.replayed', stream),
    resized: (cols, rows) => socket.emit('terminal.resized', stream, cols, rows),
    ended(reason) {
      if ('exit' in reason) {
        const { exitCode, signal, oomKilled } = reason.exit
        socket.emit('terminal.exit', stream, { exitCode, signal, oomKilled })
        context.end('ended', { message: signal === null ? `ended with status ${exitCode}` : `ended by signal ${signal}` })
      } else context.end('lost', { message: reason.lost })
    },
  }
  const options: AttachOptions = {
    stdin: !request.readOnly,
    stdout: true,
    stderr: true,
    replay: request.replay,
    flow: { kind: 'credit', bytes: request.credit },
  }
  const attachment = await attach(context, request, options, listener)
  if (attachment.terminal && !request.readOnly) attachment.resize(request.cols, request.rows)
  return {
    value: { terminal: attachment.terminal, ...attachment.size, writable: !request.readOnly },
    open: { stop: () => attachment.close(), terminal: { attachment, writable: !request.readOnly } },
  }
}

async function attach(
  { engine, caller }: StreamContext,
  { target, cols, rows, credit }: z.infer<typeof openTerminal>,
  options: AttachOptions,
  listener: AttachListener,
): Promise<Attachment> {
  if ('container' in target) {
    if (options.stdin) await requireUnprivileged({ engine, caller }, target.container)
    return engine.containers.attach(target.container, options, listener)
  }
  if ('hostConsole' in target) return openHostConsole(engine.openHostTerminal, { cols, rows, credit }, listener)
  const exec = engine.containers.inspectExec(target.exec)
  await requireUnprivileged({ engine, caller }, exec.containerId)
  if (exec.running || exec.exitCode !== null) return engine.containers.joinExec(target.exec, options, listener)
  const begun = await engine.containers.startExec(target.exec, { options, listener, size: { cols, rows } })
  return begun ?? engine.containers.joinExec(target.exec, options, listener)
}
