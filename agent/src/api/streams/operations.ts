import type { Operation, OperationProgress } from '@berth/contract/operation'
import { openOperation } from '@berth/contract/stream'
import type * as z from 'zod'
import { isBehind, type OpenStream, type StreamContext } from './open-stream.ts'

export const input = openOperation

/** Progress of one operation until its end. Lines are gathered for 50 ms; of lines with the same id only the newest is sent, text lines all. */
export function open(context: StreamContext, request: z.infer<typeof openOperation>): { value: Operation; open: OpenStream } {
  const { engine, socket, stream } = context
  const newest = new Map<string, OperationProgress>()
  let lines: OperationProgress[] = []
  let timer: NodeJS.Timeout | null = null
  const flush = () => {
    timer = null
    const batch = [...newest.values(), ...lines]
    newest.clear()
    lines = []
    if (batch.length === 0) return
    if (isBehind(socket)) context.end('slow', { message: 'progress was read too slowly; open the stream again' })
    else socket.emit('operations.progress', stream, batch)
  }
  const leave = engine.operations.watch(request.id, {
    progress(line) {
      if (line.id !== undefined && line.text === undefined) newest.set(line.id, line)
      else lines.push(line)
      timer ??= setTimeout(flush, 50)
    },
    state(operation) {
      flush()
      socket.emit('operations.state', stream, operation)
      if (operation.state !== 'running') context.end('ended', { message: `the operation has ${operation.state}` })
    },
  })
  const operation = engine.operations.inspect(request.id)
  if (operation.state !== 'running') setImmediate(() => context.end('ended', { message: `the operation has ${operation.state}` }))
  return {
    value: operation,
    open: {
      stop() {
        if (timer) clearTimeout(timer)
        leave()
      },
    },
  }
}
