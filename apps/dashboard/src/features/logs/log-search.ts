export interface LogSearch {
  text: string
  regex: boolean
  invert: boolean
  ignoreCase: boolean
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
