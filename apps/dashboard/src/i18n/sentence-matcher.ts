/** English template → its translation; `{0}`, `{1}` … stand for what was filled in. */
export type Catalogue = Record<string, string>

/** A line of what was said: in the reader's language, or, where it is not known, as it came. */
export interface SaidLine {
  text: string
  foreign: boolean
}

interface Template {
  /** What stands between the placeholders, of which there is one less. */
  literals: string[]
  translation: string
  /** Characters that are the template's own: of several that fit, the one with most says most. */
  weight: number
}

/** Longer lines are no sentence of ours, and are not looked at. */
const longest = 4000
/** Texts compared with the templates for one thing that was said: its lines, and the causes inside them. What is left over stays as it came. */
const mostLooks = 100

/**
 * Translates what a host or the server has said, line by line. The English template is the message's id, as in gettext: a line is compared with every template,
 * and what was filled in, which may be a sentence itself (a cause), is translated again. The text is hostile: templates are compared by plain searches
 * for their literals from left to right, never by a regular expression, and only so many times.
 */
export function sentenceTranslator(catalogue: Catalogue): (said: string) => SaidLine[] {
  const whole = new Map<string, string>()
  const templates: Template[] = []
  for (const [english, translation] of Object.entries(catalogue)) {
    const literals = english.split(/\{\d+\}/)
    if (literals.length === 1) whole.set(english.toLowerCase(), translation)
    else templates.push({ literals, translation, weight: literals.join('').length })
  }
  templates.sort((one, other) => other.weight - one.weight)

  let looksLeft = 0
  /** The translation, or null where there is none. */
  const translate = (text: string): string | null => {
    looksLeft -= 1
    if (text === '' || text.length > longest || looksLeft < 0) return null
    const known = whole.get(text.toLowerCase())
    if (known !== undefined) return known
    for (const template of templates) {
      const values = valuesOf(template.literals, text)
      if (values) return filled(template.translation, values.map(translatedOrNot))
    }
    return byStatements(text) ?? byCause(text)
  }
  const translatedOrNot = (text: string): string => translate(text) ?? text
  /** `name: <sentence>`: who said it stays as it is. */
  const byCause = (text: string): string | null => {
    for (let at = text.indexOf(': '); at > 0 && looksLeft > 0; at = text.indexOf(': ', at + 1)) {
      const cause = translate(text.slice(at + 2))
      if (cause !== null) return `${translatedOrNot(text.slice(0, at))}：${cause}`
    }
    return null
  }
  /** `<sentence>; <sentence>`, as of input that is wrong in several places. */
  const byStatements = (text: string): string | null => {
    const parts = text.split('; ')
    if (parts.length < 2) return null
    const translated = parts.map(translate)
    return translated.every((part) => part !== null) ? translated.join('；') : null
  }
  return (said) => {
    looksLeft = mostLooks
    return said.split('\n').map((line) => {
      const translation = translate(line)
      // What the page itself put there is in its own language already.
      return { text: translation ?? line, foreign: translation === null && !/\p{Script=Han}/u.test(line) }
    })
  }
}

/** What stands in the places of a template if the text has its form: its literals in their order, the first at the beginning, the last at the end. */
function valuesOf(literals: readonly string[], text: string): string[] | null {
  const first = literals[0] as string
  const last = literals.at(-1) as string
  const end = text.length - last.length
  if (!text.startsWith(first) || end < first.length || !text.endsWith(last)) return null
  const values: string[] = []
  let from = first.length
  for (const literal of literals.slice(1, -1)) {
    const at = text.indexOf(literal, from)
    if (at < 0 || at + literal.length > end) return null
    values.push(text.slice(from, at))
    from = at + literal.length
  }
  return [...values, text.slice(from, end)]
}

function filled(translation: string, values: readonly string[]): string {
  return translation.replace(/\{(\d+)\}/g, (_, index: string) => values[Number(index)] ?? '')
}
