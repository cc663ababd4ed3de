import { expect, it } from 'vitest'
import { refusedFlag } from './refused-field'

it('finds the option that the engine speaks of', () => {
  const all = [
    'Minimum memory limit allowed is 6MB',
    'Minimum memoryswap limit should be larger than memory limit, see usage',
    'Minimum memory limit can not be less than memory reservation limit, see usage',
    'Requested CPUs are not available - requested 9, available: 0-1',
    'Requested memory nodes are not available - requested 3, available: 0',
    'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
    'Range of blkio weight is from 10 to 1000',
    'Invalid value -5 for the pids limit: use -1 for unlimited',
    'Conflict. The container name "/web" is already in use by container "ab". You have to remove (or rename) it.',
    'something else',
  ]
  expect(all.map(refusedFlag)).toEqual([
    'memory',
    'memory-swap',
    'memory-reservation',
    'cpuset-cpus',
    'cpuset-mems',
    'cpus',
    'blkio-weight',
    'pids-limit',
    'name',
    null,
  ])
})
