import { errorMessage } from './error-message'

/** One thing of many that are done together. */
export interface Step<Chosen = unknown> {
  key: string
  /** How people call what it is done to; stands before its error. */
  name: string
  run: (chosen: Chosen) => Promise<unknown>
}
export interface Failure {
  key: string
  name: string
  message: string
}

const atOnce = 4

/**
 * Runs every step, four at a time, also after one has failed: the others have nothing to do with it. `onProgress` hears of each that has ended.
 * @returns those that failed, in the order of the steps
 */
export async function runEach<Chosen>(
  steps: readonly Step<Chosen>[],
  chosen: Chosen,
  onProgress: (ended: number) => void = () => undefined,
): Promise<Failure[]> {
  const failed = new Map<string, string>()
  const queue = [...steps]
  let ended = 0
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step; step = queue.shift()) {
      try {
        await step.run(chosen)
      } catch (error) {
        failed.set(step.key, errorMessage(error))
      }
      ended += 1
      onProgress(ended)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, steps.length) }, worker))
  return steps.flatMap(({ key, name }) => (failed.has(key) ? [{ key, name, message: failed.get(key) as string }] : []))
}
