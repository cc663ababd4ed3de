import { expect, it } from 'vitest'
import { safeDestination } from './safe-destination.ts'

it('goes to pages of this dashboard and nowhere else', () => {
  for (const good of ['/', '/h/all/containers', '/hosts/ab?tab=logs&x=//y']) expect(safeDestination(good)).toBe(good)
  for (const bad of [
    null,
    undefined,
    '',
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    ' //evil.example',
    '/sign-in?next=/x',
    '/api/audit/export',
  ])
    expect(safeDestination(bad), String(bad)).toBe('/')
})
