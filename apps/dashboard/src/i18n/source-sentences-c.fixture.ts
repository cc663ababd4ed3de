import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from 'tinyglobby'
import { isPhrase, type SourceSentence } from './source-sentences.fixture.ts'

/**
 * The sentences of C files as templates: the formats handed to error_set, error_errno and error_wrap (native/lib/error.h), and the words handed to a file's own
 * function that puts a parameter of its into one of them.
 */
export function sentencesOfC(root: string, globs: string[], ignore: string[]): SourceSentence[] {
  const found = new Map<string, string>()
  for (const file of globSync(globs, { cwd: root, ignore }).sort()) {
    const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    const takers = takersOf(text)
    for (const { name, args, at } of callsIn(text, takers)) {
      const taker = takers.get(name) as Taker
      for (const format of textsOf(args[taker.index] ?? '')) {
        const template = templateOf(format + taker.after)
        if (isPhrase(template) && !found.has(template)) found.set(template, `${file}:${text.slice(0, at).split('\n').length}`)
      }
    }
  }
  return [...found].map(([template, where]) => ({ template, where }))
}

/** Which argument of a function is a sentence, and what the function puts behind it. */
interface Taker {
  index: number
  after: string
}
const ownTakers: [string, Taker][] = [
  ['error_set', { index: 4, after: '' }],
  ['error_errno', { index: 4, after: ': %s' }],
  ['error_wrap', { index: 1, after: ': %s' }],
]

function takersOf(text: string): Map<string, Taker> {
  const takers = new Map(ownTakers)
  const functions = [...text.matchAll(/^(?:static )?[a-z][\w ]*[ *](\w+)\(([^;{}]*?)\)\s*\{\n([\s\S]*?)^\}/gm)].map(
    ([, name, parameters, body]) => ({
      name: name as string,
      parameters: (parameters as string).split(',').map((one) => /const char \*(\w+)$/.exec(one.trim())?.[1] ?? null),
      body: body as string,
    }),
  )
  for (let before = -1; before !== takers.size; ) {
    before = takers.size
    for (const { name, parameters, body } of functions) {
      if (takers.has(name)) continue
      const said = callsIn(body, takers).flatMap(({ name: inner, args }) => args.slice((takers.get(inner) as Taker).index))
      const index = parameters.findLastIndex(
        (parameter) => parameter !== null && said.includes(parameter) && /^(what|problem|reason|why)$/.test(parameter),
      )
      if (index >= 0) takers.set(name, { index, after: '' })
    }
  }
  return takers
}

/** Calls of the named functions, with their arguments as they are written. */
function callsIn(text: string, names: ReadonlyMap<string, Taker>): { name: string; args: string[]; at: number }[] {
  return [...text.matchAll(/\b(\w+)\(/g)].flatMap((match) =>
    names.has(match[1] as string)
      ? [{ name: match[1] as string, args: argumentsAt(text, match.index + match[0].length), at: match.index }]
      : [],
  )
}

function argumentsAt(text: string, start: number): string[] {
  const args: string[] = []
  let depth = 0
  let from = start
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] as string
    if (char === '"' || char === "'") {
      for (at += 1; text[at] !== char; at += 1) if (text[at] === '\\') at += 1
    } else if ('([{'.includes(char)) depth += 1
    else if (depth > 0 && ')]}'.includes(char)) depth -= 1
    else if (depth === 0 && (char === ',' || char === ')')) {
      args.push(text.slice(from, at).trim())
      from = at + 1
      if (char === ')') break
    }
  }
  return args
}

/** The string literals of an argument; those that stand side by side are one, with the formats of inttypes.h between them. */
function textsOf(argument: string): string[] {
  return [...argument.matchAll(/(?:"(?:[^"\\]|\\.)*"|\bPRI\w+|\s)+/g)].flatMap(([run]) => {
    const pieces = [...run.matchAll(/"((?:[^"\\]|\\.)*)"|\bPRI\w+/g)].map(([, literal]) => literal ?? 'u')
    return pieces.length > 0 ? [pieces.join('').replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))] : []
  })
}

/** A format of printf as a template. */
function templateOf(format: string): string {
  let count = 0
  return format.replace(/%(?:%|[-#0 +]*[\d*]*(?:\.[\d*]*)?(?:hh|h|ll|l|z|j|t)?[a-zA-Z])/g, (one) => (one === '%%' ? '%' : `{${count++}}`))
}
