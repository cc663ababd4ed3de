/** The last hour of one container or host in a ring of 32-bit floats: a few tens of KB whatever happens. Pure. */

/** One point each five seconds, for an hour. */
export const historyStepMs = 5_000
const historyPoints = 720

/** A ring of rows with the same number of columns; times are kept as whole steps since the first. */
export class StatsHistory {
  readonly #columns: number
  readonly #values: Float32Array
  readonly #steps: Uint32Array
  #next = 0
  #count = 0

  constructor(columns: number) {
    this.#columns = columns
    this.#values = new Float32Array(columns * historyPoints)
    this.#steps = new Uint32Array(historyPoints)
  }

  /** @param atMs milliseconds since 1970, rounded down to a step: one row a step, the newest wins */
  add(atMs: number, row: readonly number[]): void {
    const step = Math.floor(atMs / historyStepMs)
    const last = (this.#next + historyPoints - 1) % historyPoints
    const slot = this.#count > 0 && this.#steps[last] === step ? last : this.#next
    this.#steps[slot] = step
    this.#values.set(row, slot * this.#columns)
    if (slot === this.#next) {
      this.#next = (this.#next + 1) % historyPoints
      this.#count = Math.min(historyPoints, this.#count + 1)
    }
  }

  /** Rows oldest first, each with its time. */
  rows(): { at: number; values: number[] }[] {
    const rows: { at: number; values: number[] }[] = []
    for (let index = 0; index < this.#count; index++) {
      const slot = (this.#next + historyPoints - this.#count + index) % historyPoints
      rows.push({
        at: (this.#steps[slot] as number) * historyStepMs,
        values: [...this.#values.subarray(slot * this.#columns, (slot + 1) * this.#columns)],
      })
    }
    return rows
  }

  get bytes(): number {
    return this.#values.byteLength + this.#steps.byteLength
  }
}
