import { describe, expect, it } from 'vitest'
import { sortOf, sortText } from './list-address'

describe('sorting in the address', () => {
  it('comes back as it went in', () => {
    for (const sorting of [
      [],
      [{ id: 'created', desc: true }],
      [
        { id: 'host', desc: false },
        { id: 'name', desc: true },
      ],
    ])
      expect(sortOf(sortText(sorting))).toEqual(sorting)
    expect(sortText([{ id: 'created', desc: true }])).toBe('-created')
  })
})
