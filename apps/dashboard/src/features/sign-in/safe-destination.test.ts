import { expect, it } from 'vitest'
import { safeDestination } from './safe-destination.ts'

it.each(['/h/all/containers', '/people?x=1', '/'])('goes on to %s', (path) => {
  expect(safeDestination(path)).toBe(path)
})
it.each([
  null,
  '',
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  '/sign-in',
  '/api/trpc/x',
  '/a\nb',
  'people',
])('does not go to %j', (path) => {
  expect(safeDestination(path)).toBe('/')
})
