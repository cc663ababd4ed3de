import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Events } from './events/events.ts'

/** What trimWhenQuiet needs of the process. */
export interface Heap {
  /** Pages that it has taken from the machine, full or not. */
  heldBytes(): number
  collect(): void
  /** Share of the time since the last call that the process had something to do, 0 to 1. */
  utilization(): number
}

/**
 * This process's own JavaScript heap. V8 collects a heap when it is full, and a heap that grew while two hundred containers were started is not: half of it may be
 * garbage for as long as nothing more happens.
 */
export function ownHeap(): Heap {
  // Node gives the collector to a context that is made while the flag is set (v8.setFlagsFromString in Node's manual); the flag is taken back at once.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  let last = performance.eventLoopUtilization()
  return {
    utilization() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    },
    heldBytes: () => process.memoryUsage().heapTotal,
    collect() {
      // Pages that are half empty go back to the machine only when what lives on them is moved together.
      setFlagsFromString('--compact-on-every-full-gc')
      collect()
      setFlagsFromString('--no-compact-on-every-full-gc')
    },
  }
}

/** Events stop for this long before the heap is looked at: a collection holds up everything for some tens of milliseconds. */
const quietMs = 3_000
/** Above this share of a core somebody is being served (logs, a terminal, an image on its way): not now. */
const busyShare = 0.1
/** Growth since the last collection that is worth one. */
const worthBytes = 4 * 1024 * 1024

/**
 * Collects garbage once after each burst of work: when no event has come for three seconds, nobody is being served, and the heap has grown by 4 MiB since the
 * last time. While nothing happens nothing runs. The first time is after the start, which leaves much behind, too.
 * @returns ends it
 */
export function trimWhenQuiet(events: Pick<Events, 'subscribe'>, heap: Heap): () => void {
  let kept = 0
  const timer = setTimeout(() => {
    if (heap.heldBytes() - kept < worthBytes) return
    if (heap.utilization() > busyShare) return void timer.refresh()
    heap.collect()
    kept = heap.heldBytes()
  }, quietMs)
  timer.unref()
  const leave = events.subscribe(() => void timer.refresh())
  return () => {
    leave()
    clearTimeout(timer)
  }
}
