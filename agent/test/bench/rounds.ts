/** Rounds of the same work on several engines, interleaved so that the machine's moods meet each alike, and a limit on how long one may take. */

/** Twenty times what the slowest single command takes on two busy cores. */
const limitMs = 60_000

/** An engine gave no answer within the limit. */
export class NoAnswer extends Error {
  constructor(
    readonly engine: string,
    command: string,
    afterMs: number,
  ) {
    super(`${engine} gave no answer to "${command}" within ${afterMs / 1000} s; it was given up`)
  }
}

export const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number

/** What `work` resolves to. Past the limit it calls `giveUp`, which ends what is left of the work, and rejects with NoAnswer. */
export async function withinLimit<T>(
  engine: { name: string },
  command: string,
  work: Promise<T>,
  giveUp: () => void,
  afterMs = limitMs,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswer(engine.name, command, afterMs))
      giveUp()
    }, afterMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Milliseconds of each round by engine; one round before the first does not count. Null, with a line that says so, when an engine other than ours gave no answer: then this comparison is left out and
 * the bench goes on. @throws NoAnswer if it was ours, and whatever else `work` throws
 */
export async function interleaved<Engine extends { name: string }>(
  what: string,
  engines: readonly Engine[],
  rounds: number,
  work: (engine: Engine) => Promise<unknown>,
): Promise<Map<string, number[]> | null> {
  const times = new Map<string, number[]>(engines.map(({ name }) => [name, []]))
  try {
    for (const engine of engines) await work(engine)
    for (let round = 0; round < rounds; round++)
      for (const engine of engines) {
        const begun = performance.now()
        await work(engine)
        times.get(engine.name)?.push(performance.now() - begun)
      }
    return times
  } catch (error) {
    if (!(error instanceof NoAnswer) || error.engine === 'berth') throw error
    console.log(`${what}: not compared. ${error.message}`)
    return null
  }
}
