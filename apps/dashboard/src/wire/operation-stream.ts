import type { Operation, OperationProgress } from '@berth/contract/operation'
import type { WireFailure } from './failure.ts'
import { holdHostChannel } from './sockets.ts'

export interface OperationHandlers {
  /** The whole operation: at every (re)opening and when its state changes. */
  operation(operation: Operation): void
  /** New lines since; see mergeProgress. */
  progress(lines: OperationProgress[]): void
  refused?(error: WireFailure): void
}

/** Watches one long work of a host until it has ended. Gives back the function that leaves; the work goes on. */
export function openOperationStream(hostId: string, id: string, handlers: OperationHandlers): () => void {
  const { channel, release } = holdHostChannel(hostId)
  const stream = channel.add<'operations.open'>({
    event: 'operations.open',
    attempt: () => ({ id }),
    opened: (operation) => handlers.operation(operation),
    refused: (error) => handlers.refused?.(error),
    sink: { 'operations.progress': (lines) => handlers.progress(lines), 'operations.state': (operation) => handlers.operation(operation) },
  })
  return () => {
    stream.close()
    release()
  }
}

/** Lines of the same id replace each other in their first place; lines without one are added. */
export function mergeProgress(known: readonly OperationProgress[], lines: readonly OperationProgress[]): OperationProgress[] {
  const merged = [...known]
  const places = new Map<string, number>()
  merged.forEach((line, index) => {
    if (line.id !== undefined) places.set(line.id, index)
  })
  for (const line of lines) {
    const place = line.id === undefined ? undefined : places.get(line.id)
    if (place === undefined) {
      if (line.id !== undefined) places.set(line.id, merged.length)
      merged.push(line)
    } else merged[place] = { ...merged[place], ...line }
  }
  return merged
}
