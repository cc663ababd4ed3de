import { expect, it } from 'vitest'
import { defaultMaskedPaths, processors } from './masked-paths.ts'

it("reads the kernel's list of processors", () => {
  expect(processors('0-3,8\n')).toEqual([0, 1, 2, 3, 8])
  expect(processors('0\n')).toEqual([0])
  expect(processors('\n')).toEqual([])
})

it('hides what Docker hides, interrupts and power included', () => {
  expect(defaultMaskedPaths()).toEqual(
    expect.arrayContaining(['/proc/interrupts', '/proc/kcore', '/sys/devices/virtual/powercap', '/sys/firmware']),
  )
})
