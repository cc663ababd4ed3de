import { describe, expect, it } from 'vitest'
import { afterKey } from './typed-ahead'

describe('afterKey', () => {
  it('adds characters, also those of two units, and takes back', () => {
    const keys = ['s', 'T', ' ', '容', '😀', 'Shift', 'Enter', 'Backspace', 'ArrowLeft', 'F1', 'Process']
    expect(keys.reduce(afterKey, '')).toBe('sT 容')
    expect(afterKey('a😀', 'Backspace')).toBe('a')
    expect(afterKey('', 'Backspace')).toBe('')
  })
})
