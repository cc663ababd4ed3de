import { expect, it } from 'vitest'
import { visibleText } from './visible-text'

it('shows what would turn or hide text, and leaves the rest as it is', () => {
  expect(visibleText('gnp.\u202eexe')).toBe('gnp.⟨U+202E⟩exe')
  expect(visibleText('a\u001b[31mb\u0007\u007f')).toBe('a␛[31mb␇␡')
  expect(visibleText('tab\there\nשלום 世界 🚢')).toBe('tab\there\nשלום 世界 🚢')
})
