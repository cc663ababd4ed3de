/** Longest delay that `setTimeout` takes; a longer one it turns into one millisecond (Node.js documentation, Timers). */
const longestMs = 2 ** 31 - 1

/**
 * `setTimeout` for waits that people ask for, which may be months (`stop -t`, `--health-interval`, `events --until`). Measured by the monotonic clock: setting
 * the wall clock moves nothing.
 * @param ms may be Infinity
 * @returns a function that cancels it
 */
export function afterLong(ms: number, run: () => void): () => void {
  const due = performance.now() + ms
  let timer: NodeJS.Timeout
  const plan = () => {
    const left = due - performance.now()
    timer = left > longestMs ? setTimeout(plan, longestMs) : setTimeout(run, Math.max(0, left))
  }
  plan()
  return () => clearTimeout(timer)
}
