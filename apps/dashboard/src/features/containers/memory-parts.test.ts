import { expect, it } from 'vitest'
import { memoryParts } from './memory-parts'

it('reads the names of both cgroup versions and counts shared memory once', () => {
  expect(memoryParts({ parts: { anon: 5, file: 10, shmem: 4, slab: 1, kernel: 2 }, swapBytes: 7 })).toEqual({
    anon: 5,
    file: 6,
    shmem: 4,
    kernel: 2,
    swap: 7,
  })
  expect(memoryParts({ parts: { rss: 1, cache: 2, total_rss: 5, total_cache: 10, total_shmem: 4 }, swapBytes: 0 })).toEqual({
    anon: 5,
    file: 6,
    shmem: 4,
    kernel: 0,
    swap: 0,
  })
  expect(memoryParts({ parts: {}, swapBytes: 0 })).toEqual({ anon: 0, file: 0, shmem: 0, kernel: 0, swap: 0 })
})
