// One Runtime for a test file, with the promise that every test of it leaves nothing behind.
import { afterAll, afterEach, expect } from 'vitest'
import { Runtime } from './runtime-harness.ts'

/** Makes the file's runtime (its own root directory and control group). A test that leaves a container, mount, control group or process fails, and what it left is removed so that the next one can be judged; the rest goes after the last test. */
export function runtimeOfSuite(): Runtime {
  const runtime = new Runtime()
  afterEach(() => {
    const left = runtime.leftovers()
    if (left.length > 0) runtime.deleteAll()
    expect(left).toEqual([])
  })
  afterAll(() => runtime.remove())
  return runtime
}
