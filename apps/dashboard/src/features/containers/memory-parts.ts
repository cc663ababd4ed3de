import type { StatsSample } from '@berth/contract/stats'

export type MemoryPart = 'anon' | 'file' | 'shmem' | 'kernel' | 'swap'

/**
 * What the memory of a container is made of, in bytes: the kernel's own names of cgroup v2 (`anon`, `file`, `shmem`, `kernel` or `slab`), or those of v1
 * (`rss`, `cache`, with `total_` for the whole tree). Shared memory is counted in the file cache by the kernel; here it is not counted twice.
 */
export function memoryParts({ parts, swapBytes }: Pick<StatsSample['memory'], 'parts' | 'swapBytes'>): Record<MemoryPart, number> {
  const first = (...names: string[]) => names.map((name) => parts[name]).find((bytes) => bytes !== undefined) ?? 0
  const shmem = first('shmem', 'total_shmem')
  return {
    anon: first('anon', 'total_rss', 'rss'),
    file: Math.max(0, first('file', 'total_cache', 'cache') - shmem),
    shmem,
    kernel: first('kernel', 'slab', 'total_kernel'),
    swap: swapBytes,
  }
}
