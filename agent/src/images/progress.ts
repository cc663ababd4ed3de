import type { OperationContext } from '../operations/operations.ts'

const intervalMs = 100

/** Progress of one part of an operation (a layer), thinned to ten lines a second; a change of words is always shown. */
export class PartProgress {
  private lastAt = 0
  private lastStatus = ''
  private readonly id: string
  private readonly context: Pick<OperationContext, 'progress'>

  constructor(context: Pick<OperationContext, 'progress'>, id: string) {
    this.context = context
    this.id = id
  }

  show(status: string, currentBytes?: number, totalBytes?: number): void {
    const now = Date.now()
    if (status === this.lastStatus && currentBytes !== totalBytes && now - this.lastAt < intervalMs) return
    this.lastAt = now
    this.lastStatus = status
    this.context.progress({ id: this.id, status, ...(currentBytes === undefined ? {} : { currentBytes, totalBytes }) })
  }
}

/** As many pieces of work at once as there are lanes, whoever brings them; in the order in which they came. */
export class Lanes {
  private free: number
  private readonly waiting: (() => void)[] = []

  constructor(count: number) {
    this.free = count
  }

  /** @throws what `work` throws, or the signal's reason while it waits: nothing has begun then */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.enter(signal)
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.free += 1
    }
  }

  private enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.free > 0) {
      this.free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(turn), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.waiting.push(turn)
    })
  }
}

/** Runs `task` for each item, at most `limit` at once. The first failure stops new ones, waits for those under way and is thrown. */
export async function eachLimited<T>(items: readonly T[], limit: number, task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  let failed = false
  let failure: unknown
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && !failed; item = queue.shift()) {
      try {
        await task(item)
      } catch (error) {
        if (!failed) failure = error
        failed = true
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  if (failed) throw failure
}
