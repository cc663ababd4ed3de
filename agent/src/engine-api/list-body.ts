import type { ContainerSummary } from '@berth/contract/container'
import { entryText } from './container-body.ts'
import { statusText, untilStatusMoves } from './words.ts'

/** The answer of `GET /containers/json`. While nothing but the clock has moved it is brought to a later moment without looking at a container again. */
export class ListBody {
  readonly #states: ContainerSummary['state'][]
  readonly #statuses: string[]
  /** Where each Status begins in the bytes. */
  readonly #places: Uint32Array
  /** Until when each of them reads the same, as the wall clock tells it. */
  readonly #until: Float64Array
  #madeAt: number
  #bytes: Buffer

  /** @param current whether the name of a container's image still means that image */
  constructor(summaries: readonly ContainerSummary[], now: number, current: (summary: ContainerSummary) => boolean) {
    this.#madeAt = now
    this.#states = summaries.map(({ state }) => state)
    this.#statuses = this.#states.map((state) => statusText(state, now))
    this.#places = new Uint32Array(summaries.length)
    this.#until = Float64Array.from(this.#states, (state) => now + untilStatusMoves(state, now))
    const parts: string[] = []
    let place = 1
    for (const [at, summary] of summaries.entries()) {
      const { before, after } = entryText(summary, current(summary))
      const status = this.#statuses[at] as string
      const head = `${before},"Status":"`
      this.#places[at] = place + Buffer.byteLength(head)
      const tail = `",${after}`
      place = (this.#places[at] as number) + status.length + Buffer.byteLength(tail) + 1
      parts.push(head + status + tail)
    }
    this.#bytes = Buffer.from(`[${parts.join(',')}]\n`)
  }

  /** What is to be sent at that moment; null when it has to be made again. Nobody may write into it: it may be sent several times. */
  at(now: number): Buffer | null {
    if (now < this.#madeAt) return null
    let bytes: Buffer | null = null
    for (let at = 0; at < this.#until.length; at++) {
      if (now < (this.#until[at] as number)) continue
      const state = this.#states[at] as ContainerSummary['state']
      const status = statusText(state, now)
      if (status.length !== this.#statuses[at]?.length) return null
      // A copy: an earlier answer may still be on its way.
      bytes ??= Buffer.from(this.#bytes)
      bytes.write(status, this.#places[at] as number, 'latin1')
      this.#statuses[at] = status
      this.#until[at] = now + untilStatusMoves(state, now)
    }
    if (bytes) this.#bytes = bytes
    return this.#bytes
  }
}
