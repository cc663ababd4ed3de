import { expect, it } from 'vitest'
import { rank } from './rank'

it('finds an action by its verb and its name, in any order', () => {
  expect(rank('by-key busybox 0123 vm stop Stop', 'stop by-key')).toBeGreaterThan(0)
  expect(rank('by-key busybox 0123 vm stop Stop', 'restart by-key')).toBe(0)
  expect(rank('web nginx', 'web')).toBeGreaterThan(rank('old-web nginx', 'web'))
  expect(rank('old-web nginx', 'web')).toBeGreaterThan(rank('cobweb nginx', 'web'))
})
