/** Searching lines by text or regular expression. The expression runs in RE2, whose time is linear in the line: no pattern can hold up the agent. */
import type { LogQuery } from '@berth/contract/log'
import { EngineError, messageOf } from '../errors.ts'

export type LineTest = (content: Buffer) => boolean

/** @throws EngineError invalid_argument naming what is wrong with the pattern */
export async function compileSearch(search: NonNullable<LogQuery['search']>): Promise<LineTest> {
  const test = search.regex ? await regexTest(search.text, search.ignoreCase) : textTest(search.text, search.ignoreCase)
  return search.invert ? (content) => !test(content) : test
}

function textTest(text: string, ignoreCase: boolean): LineTest {
  const needle = Buffer.from(text)
  if (!ignoreCase || !/[a-z\u0080-\uffff]/i.test(text)) return (content) => content.includes(needle)
  if (/^[\x20-\x7e]*$/.test(text)) return asciiTest(text)
  const lower = text.toLowerCase()
  return (content) => content.toString('utf8').toLowerCase().includes(lower)
}

/** Case-blind for ASCII without making a string of each line: look for the rarer spelling of the first letter, then compare. */
function asciiTest(text: string): LineTest {
  const lower = Buffer.from(text.toLowerCase())
  const first = lower[0] as number
  const other = first >= 0x61 && first <= 0x7a ? first - 0x20 : first
  const matchesAt = (content: Buffer, at: number) => {
    for (let index = 1; index < lower.length; index++) {
      const byte = content[at + index] as number
      if ((byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte) !== lower[index]) return false
    }
    return true
  }
  return (content) => {
    const last = content.length - lower.length
    for (let at = 0; at <= last; at++) {
      const byte = content[at]
      if ((byte === first || byte === other) && matchesAt(content, at)) return true
    }
    return false
  }
}

async function regexTest(pattern: string, ignoreCase: boolean): Promise<LineTest> {
  const { RE2 } = await import('re2-wasm')
  try {
    const expression = new RE2(pattern, ignoreCase ? 'iu' : 'u')
    return (content) => expression.test(content.toString('utf8'))
  } catch (error) {
    throw new EngineError(
      'invalid_argument',
      `the pattern ${JSON.stringify(pattern)} is not a regular expression that can be searched for: ${messageOf(error)}`,
    )
  }
}
