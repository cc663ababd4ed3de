import { expect, it } from 'vitest'
import { runtimeJson } from './runtime-json.ts'

it('writes an unlimited limit as the largest unsigned number, and all else as JSON', () => {
  expect(runtimeJson({ args: ['a"b'], rlimits: [{ soft: 5, hard: Number.POSITIVE_INFINITY }] })).toBe(
    '{"args":["a\\"b"],"rlimits":[{"soft":5,"hard":18446744073709551615}]}',
  )
})
