import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { globSync } from 'tinyglobby'
import { parseAst } from 'vitest/node'

/**
 * The sentences of the source: what the agent, the native programs and the dashboard's server may say to a person, as templates (`no such container: {0}`).
 *
 * A sentence is what is handed to an error, a warning or a place listed below. A function that puts one of its parameters into a sentence is such a place
 * itself, so its callers are read too, and so on; what it puts there by calling a function is read where that function returns. Choices inside a sentence
 * (`${one ? 'is' : 'are'}`) become one template each; what is known only at run time is a placeholder, numbered as it stands in English.
 */
export interface SourceSentence {
  template: string
  /** `path:line` of one place that says it. */
  where: string
}

/** A node of the parser's tree; of its hundred kinds a dozen matter here, by a field or two. */
interface Node {
  type: string
  start: number
  end: number
  // biome-ignore lint/suspicious/noExplicitAny: the fields differ by kind, and each is used right after the kind was looked at
  [field: string]: any
}
interface Source {
  file: string
  text: string
  /** Every node with the nodes around it, the file first. */
  nodes: { node: Node; around: readonly Node[] }[]
  /** The constants by their names. */
  constants: Map<string, { node: Node; around: readonly Node[] }[]>
}

/** Constructors of which one argument is a sentence, by its index. */
const constructors: Record<string, number> = {
  EngineError: 1,
  ServerError: 1,
  StartError: 1,
  EndpointConflictError: 0,
  Error: 0,
}
/** Checks of zod, whose second argument is what is said when they fail. */
const checks = new Set(['regex', 'refine', 'min', 'max'])
/** Lists whose `push` takes sentences. */
const lists = new Set(['warnings'])
/** Properties that hold a sentence, wherever an object is written down. */
const properties = new Set(['message', 'doing', 'reason', 'why'])
/** A part with more choices than this stays a placeholder. */
const mostChoices = 12

/** Every sentence of the TypeScript files that match, relative to `root`. */
export function sentencesOfTypeScript(root: string, globs: string[], ignore: string[]): SourceSentence[] {
  const sources = globSync(globs, { cwd: root, ignore })
    .sort()
    .map((file) => parse(root, file))
  const found = new Map<string, string>()
  // Name of a function → which of its parameters go into a sentence.
  const takers = new Map<string, Set<number>>(Object.entries(constructors).map(([name, index]) => [name, new Set([index])]))
  const givers = new Set<string>()
  const add = (source: Source, at: Node, around: readonly Node[]) => {
    for (const template of templatesOf(at, source, around))
      if (isPhrase(template) && !found.has(template))
        found.set(template, `${source.file}:${source.text.slice(0, at.start).split('\n').length}`)
  }
  const size = () => found.size + givers.size + [...takers.values()].reduce((sum, one) => sum + one.size, 0)
  for (let before = -1; before !== size(); ) {
    before = size()
    for (const source of sources)
      for (const { node, around } of source.nodes) {
        const given = givenBy(node, around)
        for (const value of [...sentencesIn(node, takers), ...(given && givers.has(given.giver) ? [given.value] : [])]) {
          add(source, value, around)
          for (const part of partsOf(value, source, around)) {
            if (part.type === 'CallExpression' && part.callee.type === 'Identifier') givers.add(part.callee.name)
            if (part.type === 'Identifier') learn(takers, part.name, around)
          }
        }
      }
  }
  return [...found].map(([template, where]) => ({ template, where }))
}

function parse(root: string, file: string): Source {
  const text = readFileSync(join(root, file), 'utf8')
  const nodes: Source['nodes'] = []
  const visit = (value: unknown, around: readonly Node[]): void => {
    if (Array.isArray(value)) for (const one of value) visit(one, around)
    else if (typeof value === 'object' && value !== null && 'type' in value) {
      const node = value as Node
      nodes.push({ node, around })
      for (const field of Object.values(node)) if (typeof field === 'object') visit(field, [...around, node])
    }
  }
  visit(parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' }), [])
  const constants: Source['constants'] = new Map()
  for (const one of nodes)
    if (one.node.type === 'VariableDeclarator' && one.node.init)
      constants.set(one.node.id.name, [...(constants.get(one.node.id.name) ?? []), one])
  return { file, text, nodes, constants }
}

/** A phrase of at least two words: alone, a shorter one might as well be the name of something. */
export function isPhrase(template: string): boolean {
  return /\p{L}['"),;:]* +[\p{L}({"']/u.test(template)
}

/** The expressions that become sentences at this node. */
function sentencesIn(node: Node, takers: ReadonlyMap<string, ReadonlySet<number>>): Node[] {
  if (node.type === 'NewExpression' || node.type === 'CallExpression') {
    const { callee } = node
    if (
      callee.type === 'MemberExpression' &&
      callee.property.name === 'push' &&
      lists.has(callee.object.property?.name ?? callee.object.name)
    )
      return node.arguments
    if (callee.type === 'MemberExpression' && checks.has(callee.property.name)) return node.arguments.slice(1)
    const name = callee.type === 'Identifier' ? callee.name : null
    return [...(takers.get(name) ?? [])].flatMap((index) => node.arguments[index] ?? [])
  }
  if (node.type === 'Property' && properties.has(node.key.name)) return [node.value]
  return []
}

/** What a function gives back at this node, with the function's name. */
function givenBy(node: Node, around: readonly Node[]): { giver: string; value: Node } | null {
  if (node.type === 'ReturnStatement' && node.argument) {
    const at = around.findLastIndex(isFunction)
    const giver = at < 0 ? null : nameOf(around[at] as Node, around[at - 1])
    return giver ? { giver, value: node.argument } : null
  }
  if (node.type === 'ArrowFunctionExpression' && node.body.type !== 'BlockStatement') {
    const giver = nameOf(node, around.at(-1))
    return giver ? { giver, value: node.body } : null
  }
  return null
}

function isFunction(node: Node): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)
}

function isBlock(node: Node): boolean {
  return node.type === 'BlockStatement' || node.type === 'Program'
}

/** What a function is called: its own name, that of the constant it is in, or of the class whose constructor it is. */
function nameOf(node: Node, parent: Node | undefined): string | null {
  if (node.id) return node.id.name
  if (parent?.type === 'VariableDeclarator') return parent.id.name ?? null
  return null
}

/** If `name` is a parameter of a function around, that function takes a sentence there. */
function learn(takers: Map<string, Set<number>>, name: string, around: readonly Node[]): void {
  for (let at = around.length - 1; at >= 0; at -= 1) {
    const node = around[at] as Node
    if (!isFunction(node)) continue
    const index = node.params.findIndex((one: Node) => (one.type === 'AssignmentPattern' ? one.left : one).name === name)
    const taker = index < 0 ? null : nameOf(node, around[at - 1])
    if (!taker) continue
    takers.set(taker, (takers.get(taker) ?? new Set()).add(index))
    return
  }
}

/** What a sentence is put together from and cannot be read off: identifiers, calls. */
function partsOf(value: Node, source: Source, around: readonly Node[]): Node[] {
  const inner =
    alternativesOf(value, source, around) ??
    (value.type === 'TemplateLiteral' ? value.expressions : value.type === 'BinaryExpression' ? [value.left, value.right] : null)
  return inner ? inner.flatMap((one: Node) => partsOf(one, source, around)) : [value]
}

/** The expressions of which one is taken: branches of a choice, what a constant was set to. Null where there is nothing to choose. */
function alternativesOf(value: Node, source: Source, around: readonly Node[]): Node[] | null {
  switch (value.type) {
    case 'TSAsExpression':
    case 'TSNonNullExpression':
    case 'ParenthesizedExpression':
    case 'AwaitExpression':
      return [value.expression ?? value.argument]
    case 'ConditionalExpression':
      return [value.consequent, value.alternate]
    case 'LogicalExpression':
      return value.operator === '&&' ? [value.right] : [value.left, value.right]
    case 'Identifier': {
      const constant = source.constants
        .get(value.name)
        ?.findLast(({ node, around: its }) => node.start < value.start && around.includes(its.findLast(isBlock) as Node))
      return constant && !isFunction(constant.node.init) ? [constant.node.init] : null
    }
    default:
      return null
  }
}

/** Every text that the expression may have, `{0}` standing for what cannot be known; [] where nothing of it can. */
function templatesOf(value: Node, source: Source, around: readonly Node[]): string[] {
  const numbered = piecesOf(value, source, around).map((text) => {
    let count = 0
    return text.replaceAll(hole, () => `{${count++}}`)
  })
  return [...new Set(numbered)]
}

const hole = '\u0000'

function piecesOf(value: Node, source: Source, around: readonly Node[]): string[] {
  const inner = alternativesOf(value, source, around)
  if (inner) return inner.flatMap((one) => piecesOf(one, source, around))
  if (value.type === 'Literal' && typeof value.value === 'string') return [value.value]
  if (value.type === 'TemplateLiteral')
    return product(
      value.quasis.flatMap((quasi: Node, at: number) =>
        at < value.expressions.length ? [[quasi.value.cooked], piecesOf(value.expressions[at], source, around)] : [[quasi.value.cooked]],
      ),
    )
  if (value.type === 'BinaryExpression' && value.operator === '+')
    return product([piecesOf(value.left, source, around), piecesOf(value.right, source, around)])
  return [hole]
}

/** Each way to put the parts together; a part with too many choices becomes a placeholder. */
function product(parts: string[][]): string[] {
  return parts.reduce<string[]>(
    (texts, choices) =>
      texts.flatMap((text) => (texts.length * choices.length > mostChoices ? [hole] : choices).map((choice) => text + choice)),
    [''],
  )
}
