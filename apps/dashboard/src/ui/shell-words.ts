/**
 * Splits one command line as a POSIX shell would, without expanding anything: single and double quotes, backslashes, backslash-newline, comments.
 * `$NAME` stays as it is written. @throws Error when a quote is not closed.
 */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] as string
    if (quote === "'") {
      if (char === "'") quote = null
      else word += char
    } else if (char === '\\') {
      const next = line[at + 1]
      at += 1
      if (next === '\n' || next === undefined) continue
      word = (word ?? '') + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next)
    } else if (quote === '"') {
      if (char === '"') quote = null
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else if (char === '#' && word === null) {
      const end = line.indexOf('\n', at)
      at = end < 0 ? line.length : end
    } else word = (word ?? '') + char
  }
  if (quote) throw new Error(`a ${quote} is not closed`)
  if (word !== null) words.push(word)
  return words
}

/** The first `&&`, `|`, `;`, `>` or the like that a shell would not take for a word's own; null when there is none. */
export function shellOperator(line: string): string | null {
  const bare = line.replace(/\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"/g, '_').replace(/(^|\s)#[^\n]*/g, '$1')
  return /&&|\|\|?|;|\d?>>?|<|&/.exec(bare)?.[0] ?? null
}

/** Writes a word so that a shell reads it as it is. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/**
 * A field that holds a list, one value per line. A value that is quoted as for a shell may hold line breaks and blanks at its ends:
 * `'TEXT=two\nlines'`. @throws Error when a quote is not closed
 */
export function readLines(text: string): string[] {
  const values: string[] = []
  const lines = text.split('\n')
  while (lines.length > 0) {
    let line = (lines.shift() as string).trimStart()
    if (!/^['"]/.test(line)) {
      if (line.trim()) values.push(line.trim())
      continue
    }
    for (;;) {
      try {
        values.push(splitWords(line).join(' '))
        break
      } catch (error) {
        const next = lines.shift()
        if (next === undefined) throw error
        line += `\n${next}`
      }
    }
  }
  return values
}

/** The other way round. */
export function writeLines(values: readonly string[]): string {
  return values.map((value) => (/^\s|\s$|\n|^['"]|^$/.test(value) ? `'${value.replaceAll("'", `'\\''`)}'` : value)).join('\n')
}
