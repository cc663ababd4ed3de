/** Sentences of the engine (Docker's own) and the option that each is about; the first that fits counts. */
const sentences: readonly [RegExp, string][] = [
  [/container name .* in use/i, 'name'],
  [/memory ?swap|\bswap\b/i, 'memory-swap'],
  [/memory reservation/i, 'memory-reservation'],
  [/memory nodes|cpuset mems/i, 'cpuset-mems'],
  [/requested cpus|cpuset cpus/i, 'cpuset-cpus'],
  [/blkio weight/i, 'blkio-weight'],
  [/pids limit/i, 'pids-limit'],
  [/cfs period|cpu period/i, 'cpu-period'],
  [/cfs quota|cpu quota/i, 'cpu-quota'],
  [/real-time/i, 'cpu-rt-runtime'],
  [/cpu shares/i, 'cpu-shares'],
  [/\bcpus\b/i, 'cpus'],
  [/memory limit/i, 'memory'],
  [/\bshm\b/i, 'shm-size'],
]

/** The option that an engine's refusal is about, so that it can stand beside its field; null when it names none. */
export function refusedFlag(message: string): string | null {
  return sentences.find(([pattern]) => pattern.test(message))?.[1] ?? null
}
