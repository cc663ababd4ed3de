/**
 * The last hour of one container or host, as 32-bit floats in blocks of five minutes. A column that did not change within a block is one number there: a
 * container that does nothing costs some hundred bytes for each block, one in which everything moves 26 KB for the hour. Pure.
 */

/** One point each five seconds, for an hour. */
export const historyStepMs = 5_000
const historyPoints = 720
const blockPoints = 60

/** Rows that are complete: columns that never changed in `constants`, the others row after row in `varying`. */
interface Block {
  firstStep: number
  /** Steps of the rows after firstStep; null: one each step. */
  offsets: Uint16Array | null
  rows: number
  constants: Float32Array
  /** Numbers of the columns in `varying`. */
  columns: Uint8Array
  varying: Float32Array
}

const nothing = new Float32Array()

/** Rows with the same number of columns, the newest hour of them; times are kept as whole steps. */
export class StatsHistory {
  readonly #columns: number
  #blocks: Block[] = []
  /** Rows that are not in a block yet. */
  #open = nothing
  #openSteps: number[] = []

  constructor(columns: number) {
    this.#columns = columns
  }

  /** @param atMs milliseconds since 1970, rounded down to a step: one row a step, the newest wins */
  add(atMs: number, row: readonly number[]): void {
    const step = Math.floor(atMs / historyStepMs)
    if (this.#openSteps.at(-1) === step) {
      this.#open.set(row, (this.#openSteps.length - 1) * this.#columns)
      return
    }
    this.#forgetFrom(step)
    const count = this.#openSteps.length
    if (count === blockPoints || (count > 0 && step - (this.#openSteps[0] as number) > 0xffff)) this.#seal()
    if (this.#open.length === 0) this.#open = new Float32Array(this.#columns * blockPoints)
    this.#open.set(row, this.#openSteps.length * this.#columns)
    this.#openSteps.push(step)
    this.#forget(step)
  }

  /** Rows oldest first, each with its time. */
  rows(): { at: number; values: number[] }[] {
    const rows: { at: number; values: number[] }[] = []
    for (const block of this.#blocks)
      for (let row = 0; row < block.rows; row++) rows.push({ at: stepOf(block, row) * historyStepMs, values: valuesOf(block, row) })
    for (const [row, step] of this.#openSteps.entries())
      rows.push({ at: step * historyStepMs, values: [...this.#open.subarray(row * this.#columns, (row + 1) * this.#columns)] })
    return rows.slice(-historyPoints)
  }

  /** What the numbers take, without the objects around them. */
  get bytes(): number {
    return this.#blocks.reduce(
      (sum, { constants, columns, varying, offsets }) =>
        sum + constants.byteLength + columns.byteLength + varying.byteLength + (offsets?.byteLength ?? 0),
      this.#open.byteLength + this.#openSteps.length * 8,
    )
  }

  /** Makes a block of the open rows; their room is used again. */
  #seal(): void {
    const steps = this.#openSteps
    const rows = steps.length
    const width = this.#columns
    const open = this.#open
    const firstStep = steps[0] as number
    const changes = (column: number): boolean => {
      for (let row = 1; row < rows; row++) if (open[row * width + column] !== open[column]) return true
      return false
    }
    const columns = Uint8Array.from({ length: width }, (_, column) => column).filter(changes)
    const varying = columns.length === 0 ? nothing : new Float32Array(rows * columns.length)
    for (let row = 0; row < rows; row++)
      for (let at = 0; at < columns.length; at++) varying[row * columns.length + at] = open[row * width + (columns[at] as number)] as number
    const everyStep = steps.every((step, row) => step === firstStep + row)
    this.#blocks.push({
      firstStep,
      offsets: everyStep ? null : Uint16Array.from(steps, (step) => step - firstStep),
      rows,
      constants: open.slice(0, width),
      columns,
      varying,
    })
    this.#openSteps = []
  }

  /** Drops rows of a step and later ones: the clock was set back, and what had not been yet is no past. */
  #forgetFrom(step: number): void {
    const newest = this.#openSteps.at(-1) ?? (this.#blocks.length > 0 ? lastStepOf(this.#blocks.at(-1) as Block) : step - 1)
    if (step > newest) return
    this.#openSteps = this.#openSteps.filter((own) => own < step)
    this.#blocks = this.#blocks.flatMap((block) => {
      let rows = block.rows
      while (rows > 0 && stepOf(block, rows - 1) >= step) rows -= 1
      return rows > 0 ? [{ ...block, rows }] : []
    })
  }

  /** Drops blocks that lie wholly before the last hour, or before the newest rows that are kept. */
  #forget(newest: number): void {
    let kept = this.#openSteps.length
    let first = this.#blocks.length
    while (first > 0) {
      const block = this.#blocks[first - 1] as Block
      if (kept >= historyPoints || newest - lastStepOf(block) >= historyPoints) break
      kept += block.rows
      first -= 1
    }
    if (first > 0) this.#blocks = this.#blocks.slice(first)
  }
}

function stepOf({ firstStep, offsets }: Block, row: number): number {
  return firstStep + (offsets?.[row] ?? row)
}

function lastStepOf(block: Block): number {
  return stepOf(block, block.rows - 1)
}

function valuesOf({ constants, columns, varying }: Block, row: number): number[] {
  const values = [...constants]
  for (let at = 0; at < columns.length; at++) values[columns[at] as number] = varying[row * columns.length + at] as number
  return values
}
