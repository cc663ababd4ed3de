import { limits } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { checkLimits, mergeLimits, noRates, parseList, toResources } from './limits.ts'

const facts = { cpus: 2, cpusetCpus: '0-1', cpusetMems: '0', hasBlkioWeight: false, hasSwapLimit: true, cgroupVersion: '1' as const }
const of = (change: Record<string, unknown>) => limits.parse(change)
const mib = 1024 * 1024

describe('checkLimits', () => {
  it.each([
    [{ memoryBytes: mib }, 'Minimum memory limit allowed is 6MB'],
    [{ memorySwapBytes: 300 * mib }, 'You should always set the Memory limit when using Memoryswap limit'],
    [{ memoryBytes: 200 * mib, memorySwapBytes: 100 * mib }, 'Minimum memoryswap limit should be larger than memory limit'],
    [{ memoryBytes: 100 * mib, memoryReservationBytes: 200 * mib }, 'less than memory reservation limit'],
    [{ nanoCpus: 3e9 }, 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
    [{ nanoCpus: 1e9, cpuPeriodUs: 100000 }, 'Nano CPUs and CPU Period cannot both be set'],
    [{ cpuPeriodUs: 500 }, 'CPU cfs period can not be less than 1ms'],
    [{ cpuQuotaUs: 500 }, 'CPU cfs quota can not be less than 1ms'],
    [{ cpusetCpus: '0-5' }, 'Requested CPUs are not available - requested 0-5, available: 0-1'],
    [{ cpusetCpus: 'x' }, 'Invalid value x for cpuset cpus'],
    [{ blkioWeight: 5 }, 'Range of blkio weight is from 10 to 1000'],
  ])('refuses %j in Docker words', (change, sentence) => {
    expect(() => checkLimits(of(change), facts)).toThrow(sentence as string)
  })

  it('warns of what the kernel lacks', () => {
    expect(checkLimits(of({ blkioWeight: 500 }), facts)).toEqual([expect.stringContaining('Block I/O weight')])
    expect(checkLimits(of({ memoryBytes: 200 * mib, memorySwapBytes: -1, cpusetCpus: '0,1' }), facts)).toEqual([])
  })
})

describe('toResources', () => {
  it('reads memory-swap as memory plus swap, twice the memory by default', () => {
    expect(toResources(of({ memoryBytes: 200 * mib, memorySwapBytes: 300 * mib }), noRates, facts).memory).toEqual({
      limit: 200 * mib,
      swap: 300 * mib,
    })
    expect(toResources(of({ memoryBytes: 200 * mib }), noRates, facts).memory).toEqual({ limit: 200 * mib, swap: 400 * mib })
    expect(toResources(of({ memoryBytes: 200 * mib, memorySwapBytes: -1 }), noRates, facts).memory).toEqual({ limit: 200 * mib, swap: -1 })
  })

  it('turns --cpus into a quota, and lifts what an update took away', () => {
    expect(toResources(of({ nanoCpus: 1.5e9 }), noRates, facts).cpu).toEqual({ period: 100_000, quota: 150_000 })
    expect(toResources(of({}), noRates, facts, of({ nanoCpus: 1e9, memoryBytes: 100 * mib, pidsLimit: 5, cpuShares: 512 }))).toEqual({
      memory: { limit: -1, swap: -1 },
      cpu: { shares: 1024, quota: -1 },
      pids: { limit: -1 },
    })
  })
})

describe('mergeLimits', () => {
  it('keeps what is not named and refuses what stands in the way', () => {
    expect(mergeLimits(of({ memoryBytes: 100 * mib }), { pidsLimit: 10 })).toMatchObject({ memoryBytes: 100 * mib, pidsLimit: 10 })
    expect(() => mergeLimits(of({ memoryBytes: 100 * mib, memorySwapBytes: 200 * mib }), { memoryBytes: 300 * mib })).toThrow(
      'update the memoryswap at the same time',
    )
    expect(() => mergeLimits(of({ cpuQuotaUs: 50_000 }), { nanoCpus: 1e9 })).toThrow(
      'Nano CPUs cannot be updated as CPU Quota has already been set',
    )
  })
})

it('reads cpu lists', () => {
  expect([...(parseList('0-2,5') ?? [])]).toEqual([0, 1, 2, 5])
  for (const bad of ['', '1-', 'a', '3-1', '0,,1']) expect(parseList(bad)).toBeNull()
})
