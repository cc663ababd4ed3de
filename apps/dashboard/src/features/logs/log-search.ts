export interface LogSearch {
  text: string
  regex: boolean
  invert: boolean
  ignoreCase: boolean
}

const usual: LogSearch = { text: '', regex: false, invert: false, ignoreCase: true }

/** A search as it stands in an address: `find`, the text, and `how`, of `regex`, `invert` and `case` those that are on. Null: no search. */
export function searchOfAddress({ find, how }: { find: string | null; how: readonly string[] }): LogSearch | null {
  if (!find) return null
  return { text: find, regex: how.includes('regex'), invert: how.includes('invert'), ignoreCase: !how.includes('case') }
}

/** The opposite of `searchOfAddress`. */
export function addressOfSearch(search: LogSearch | null): { find: string | null; how: string[] | null } {
  const { text, regex, invert, ignoreCase } = search ?? usual
  const how = [...(regex ? ['regex'] : []), ...(invert ? ['invert'] : []), ...(ignoreCase ? [] : ['case'])]
  return { find: text || null, how: text && how.length > 0 ? how : null }
}

/** The question that the agent was asked, for lines that are in the browser. An expression that cannot be read fits nothing: the agent says what is wrong with it. */
export function lineTest(search: LogSearch): (line: { text: string }) => boolean {
  const pattern = searchPattern(search)
  return (line) => {
    if (!pattern) return false
    pattern.lastIndex = 0
    return pattern.test(line.text) !== search.invert
  }
}

/** Every place that a search fits, as an expression; null if it cannot be read. */
export function searchPattern(search: LogSearch): RegExp | null {
  try {
    return new RegExp(search.regex ? search.text : search.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), search.ignoreCase ? 'giu' : 'gu')
  } catch {
    return null
  }
}
