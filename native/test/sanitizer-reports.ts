/** Run with every file of tests under the sanitizers: a report that appeared is the failure of the test during which it did. */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'

const directory = process.env.BERTH_SANITIZER_REPORTS ?? ''

function check(): void {
  const texts = readdirSync(directory).map((name) => {
    const text = readFileSync(join(directory, name), 'utf8')
    rmSync(join(directory, name))
    return text
  })
  if (texts.length > 0) throw new Error(`a sanitizer reports:\n${texts.join('\n')}`)
}

afterEach(check)
// Monitors end a moment after their test.
afterAll(check)
