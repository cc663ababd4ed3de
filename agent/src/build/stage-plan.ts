/** Which stages there are, what each needs, and which of them a target needs. PURE. */
import { EngineError } from '../errors.ts'
import { type Instruction, type ParsedDockerfile, parseError } from './dockerfile.ts'
import { checkFlags, understand } from './statement.ts'
import { expandWord, splitWords } from './words.ts'

export interface Stage {
  index: number
  /** Lower case; '' without AS. */
  name: string
  /** Image reference, `scratch`, or the name of an earlier stage. */
  base: string
  platform: string
  from: Instruction
  instructions: Instruction[]
  /** Indexes of earlier stages whose result this one needs. */
  needs: number[]
}

export interface StagePlan {
  /** Only those that the target needs, in the file's order. */
  stages: Stage[]
  target: Stage
  /** ARGs in front of the first FROM with their values. */
  metaArgs: Map<string, string | null>
  /** The instructions of metaArgs, which count as steps. */
  leading: Instruction[]
  /** Names of build arguments that some ARG takes. */
  declaredArgs: Set<string>
  escapeChar: string
}

/**
 * @param buildArgs what the caller set; null: take it from nowhere
 * @param platformArgs TARGETARCH and its kin, usable in FROM and by ARG
 * @throws invalid_argument
 */
export function planStages(
  { instructions, escapeChar }: ParsedDockerfile,
  options: { target: string; buildArgs: Record<string, string | null>; platformArgs: Record<string, string> },
): StagePlan {
  const metaArgs = new Map<string, string | null>()
  const declaredArgs = new Set<string>()
  const stages: Stage[] = []
  const leading: Instruction[] = []
  const lookup = (name: string) => metaArgs.get(name) ?? options.platformArgs[name]
  for (const instruction of instructions) {
    const stage = stages.at(-1)
    if (instruction.keyword === 'ARG') for (const [name] of argPairs(instruction, escapeChar)) declaredArgs.add(name)
    if (instruction.keyword === 'FROM') stages.push(readFrom(instruction, stages, (text) => expandWord(text, lookup, escapeChar)))
    else if (stage) stage.instructions.push(instruction)
    else if (instruction.keyword === 'ARG') {
      leading.push(instruction)
      for (const [name, value] of argPairs(instruction, escapeChar))
        metaArgs.set(
          name,
          options.buildArgs[name] ?? (value === null ? (options.platformArgs[name] ?? null) : expandWord(value, lookup, escapeChar)),
        )
    } else throw parseError(instruction.line, 'no build stage in current context: the first instruction must be FROM (or ARG)')
  }
  if (stages.length === 0) throw new EngineError('invalid_argument', 'no build stage in current context: the Dockerfile has no FROM')
  for (const stage of stages) {
    stage.needs = needsOf(stage, stages)
    for (const instruction of stage.instructions) checkEarly(instruction, escapeChar)
  }
  const target = findTarget(stages, options.target)
  const wanted = new Set<number>()
  const visit = (index: number): void => {
    if (wanted.has(index)) return
    wanted.add(index)
    for (const need of (stages[index] as Stage).needs) visit(need)
  }
  visit(target.index)
  return { stages: stages.filter(({ index }) => wanted.has(index)), target, metaArgs, leading, declaredArgs, escapeChar }
}

/** What is wrong without knowing any variable is told before the first step, not after an hour of them. */
function checkEarly(instruction: Instruction, escapeChar: string): void {
  const variable = [instruction.rest, ...instruction.flags.map(({ value }) => value ?? '')].some((text) => text.includes('$'))
  if (!variable && instruction.heredocs.length === 0) understand(instruction, () => undefined, escapeChar)
}

function argPairs(instruction: Instruction, escapeChar: string): [string, string | null][] {
  return splitWords(instruction.rest, escapeChar).map((word) => {
    const equals = word.indexOf('=')
    return equals < 0 ? [word, null] : [word.slice(0, equals), word.slice(equals + 1)]
  })
}

function readFrom(instruction: Instruction, earlier: Stage[], expand: (text: string) => string): Stage {
  checkFlags(instruction)
  const words = instruction.rest.split(/\s+/)
  if (words.length !== 1 && !(words.length === 3 && /^as$/i.test(words[1] as string)))
    throw parseError(instruction.line, 'FROM requires either one argument, or three: FROM <source> [as <name>]')
  const name = (words[2] ?? '').toLowerCase()
  if (name && !/^[a-z][a-z0-9-_.]*$/.test(name))
    throw parseError(
      instruction.line,
      `invalid name for build stage: "${name.slice(0, 60)}", name can't start with a number or contain symbols`,
    )
  const base = expand(words[0] as string)
  if (base === '') throw parseError(instruction.line, `base name (${words[0]}) should not be blank`)
  const platform = expand(instruction.flags.find((flag) => flag.name === 'platform')?.value ?? '')
  return { index: earlier.length, name, base, platform, from: instruction, instructions: [], needs: [] }
}

/** An earlier stage by name or number. */
export function stageNamed(stages: readonly Stage[], name: string, before: number): Stage | null {
  const byName = stages.findLast((stage) => stage.index < before && stage.name !== '' && stage.name === name.toLowerCase())
  if (byName) return byName
  return /^\d{1,4}$/.test(name) ? (stages.find((stage) => stage.index === Number(name) && stage.index < before) ?? null) : null
}

function needsOf(stage: Stage, stages: Stage[]): number[] {
  const base = stages.findLast((other) => other.index < stage.index && other.name !== '' && other.name === stage.base.toLowerCase())
  const froms = stage.instructions.flatMap(({ keyword, flags }) => {
    if (keyword === 'COPY') return flags.flatMap(({ name, value }) => (name === 'from' && value ? [value] : []))
    if (keyword === 'RUN')
      return flags.flatMap(({ name, value }) => (name === 'mount' ? (/(?:^|,)from=([^,]+)/.exec(value ?? '')?.[1] ?? []) : []))
    return []
  })
  const found = froms.map((from) => stageNamed(stages, from, stage.index)?.index)
  return [...new Set([base?.index, ...found].filter((index) => index !== undefined))]
}

function findTarget(stages: Stage[], target: string): Stage {
  if (target === '') return stages.at(-1) as Stage
  // By name alone: a number that other builders refuse must not build here.
  const found = /^\d+$/.test(target) ? null : stageNamed(stages, target, stages.length)
  if (!found) throw new EngineError('invalid_argument', `failed to reach build target ${target.slice(0, 80)} in Dockerfile`)
  return found
}
