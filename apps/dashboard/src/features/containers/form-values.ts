import { type ContainerOptions, type CreateContainerInput, containerOptions } from '@berth/contract/container'
import { objectName } from '@berth/contract/id'
import { quoteWord, readLines, splitWords, writeLines } from '../../ui/shell-words'
import { readFields, writeFields } from './flag-values'
import { type FieldKind, formSections } from './form-fields'
import { beginRun, type ParsedRun, type RunDraft } from './parse-run-command'
import { runArguments } from './run-command'
import { flagOfPath, writeRestart } from './run-flags'
import { parsePorts } from './run-places'

export interface PortRow {
  hostIp: string
  host: string
  container: string
  protocol: string
}
export interface MountRow {
  type: 'volume' | 'bind' | 'tmpfs'
  source: string
  target: string
  readOnly: boolean
  /** bind: make the directory on the host when it is missing, as `-v` does; otherwise it is refused, as with `--mount`. */
  create: boolean
  /** What a row has no control for: further fields of `--mount`. */
  more: string
}

/** What the form holds: each flag's value as one would type it. Lists are one value per line. */
export interface FormValues {
  image: string
  name: string
  pull: 'always' | 'missing' | 'never'
  command: string
  entrypoint: string
  restart: string
  network: string
  /** Further networks, one `name=…,alias=…` per line. */
  networks: string
  start: boolean
  ports: PortRow[]
  mounts: MountRow[]
  flags: Record<string, string>
  switches: Record<string, boolean>
  /** The options that the form was filled with, and what the form alone makes of them; null when it began empty. */
  origin: { options: ContainerOptions; seen: ContainerOptions } | null
}

const flagsOfKind = (kind: FieldKind['kind']) =>
  new Set(formSections.flatMap((section) => section.fields.filter((field) => field.field.kind === kind).map((field) => field.flag)))
const switchFlags = flagsOfKind('switch')
const lineFlags = flagsOfKind('lines')
const blockFlags = flagsOfKind('block')

export const emptyForm: FormValues = {
  image: '',
  name: '',
  pull: 'missing',
  command: '',
  entrypoint: '',
  restart: 'no',
  network: '',
  networks: '',
  start: true,
  ports: [],
  mounts: [],
  flags: Object.fromEntries(formSections.flatMap((section) => section.fields.map((field) => [field.flag, '']))),
  switches: Object.fromEntries([...switchFlags].map((flag) => [flag, false])),
  origin: null,
}

/** What is wrong, by the form's own field names. */
export type FormErrors = Record<string, string>

export interface ReadForm {
  run: ParsedRun | null
  errors: FormErrors
  /** Options of the container that the form was filled from for which it has no field; they are taken over as they are. */
  kept: string[]
}

/** Runs a step; what it throws is what is wrong with the field. */
type Attempt = (field: string, work: () => void) => void

/** The form as options. Every field is tried, so that all that is wrong is said at once, each beside its field. */
export function readForm(values: FormValues): ReadForm {
  const errors: FormErrors = {}
  const attempt: Attempt = (field, work) => {
    try {
      work()
    } catch (error) {
      errors[field] ??= error instanceof Error ? error.message : String(error)
    }
  }
  const draft = beginRun()
  if (values.name) {
    if (objectName.safeParse(values.name).success) draft.apply('name', values.name)
    else errors.name = 'name'
  }
  if (!values.image.trim()) errors.image = 'image'
  draft.apply('pull', values.pull)
  attempt('restart', () => values.restart && draft.apply('restart', values.restart))
  if (values.network) draft.apply('network', values.network)
  attempt('networks', () => {
    for (const line of readLines(values.networks)) draft.apply('network', line)
  })
  readRows(values, draft, attempt)
  readFlags(values, draft, attempt)
  let entrypoint: string[] = []
  let command: string[] = []
  attempt('entrypoint', () => {
    entrypoint = splitWords(values.entrypoint)
    if (entrypoint[0] !== undefined) draft.apply('entrypoint', entrypoint[0])
  })
  attempt('command', () => {
    command = splitWords(values.command)
  })
  let run: ParsedRun | null = null
  let kept: string[] = []
  attempt('networks', () => {
    const made = draft.end(values.image.trim() || 'IMAGE', entrypoint.slice(1), command)
    kept = values.origin ? takeOver(made.options, values.origin) : []
    run = made
  })
  if (run) checkAgainstSchema((run as ParsedRun).options, errors)
  return { run, errors, kept }
}

function readRows(values: FormValues, draft: RunDraft, attempt: Attempt): void {
  const taken = new Set<string>()
  for (const [index, row] of values.ports.entries()) {
    if (!row.container.trim() && !row.host.trim()) continue
    attempt(`ports.${index}`, () => {
      const value = portValue(row)
      draft.apply('publish', value)
      for (const port of parsePorts(value)) {
        const place = `${port.hostIp}:${port.hostPort}/${port.protocol}`
        if (port.hostPort && !port.hostPortEnd && taken.has(place))
          throw new Error(`-p: port ${port.hostPort} of the host is published twice`)
        taken.add(place)
      }
    })
  }
  const targets = new Set<string>()
  for (const [index, row] of values.mounts.entries()) {
    if (!row.target.trim() && !row.source.trim()) continue
    attempt(`mounts.${index}`, () => {
      draft.apply(...mountValue(row))
      if (targets.has(row.target.trim())) throw new Error(`"${row.target.trim()}" in the container is mounted twice`)
      targets.add(row.target.trim())
    })
  }
}

function readFlags(values: FormValues, draft: RunDraft, attempt: Attempt): void {
  for (const [flag, on] of Object.entries(values.switches)) if (on) attempt(`switches.${flag}`, () => draft.apply(flag))
  for (const [flag, value] of Object.entries(values.flags)) {
    if (!value.trim()) continue
    attempt(`flags.${flag}`, () => {
      for (const one of lineFlags.has(flag) ? readLines(value) : [blockFlags.has(flag) ? value : value.trim()]) draft.apply(flag, one)
    })
  }
}

/** What the contract refuses, beside the field whose flag it is about. */
function checkAgainstSchema(options: ContainerOptions, errors: FormErrors): void {
  const checked = containerOptions.safeParse(options)
  for (const issue of checked.error?.issues ?? []) {
    const flag = flagOfPath(issue.path)?.name
    const message = flag ? `--${flag}: ${issue.message}` : `${issue.path.join('.')}: ${issue.message}`
    const field = fieldOf(flag, issue.path)
    errors[field] ??= message
  }
}

function fieldOf(flag: string | undefined, path: readonly PropertyKey[]): string {
  if (flag === 'publish' || flag === 'volume') return `${flag === 'publish' ? 'ports' : 'mounts'}.${String(path[1] ?? 0)}`
  if (flag === undefined) return 'form'
  if (switchFlags.has(flag)) return `switches.${flag}`
  return flag in emptyForm.flags ? `flags.${flag}` : flag
}

/** Options that say one thing together: kept or given up together. */
const groups: readonly (readonly (keyof ContainerOptions)[])[] = (() => {
  const together: (keyof ContainerOptions)[][] = [
    ['entrypoint', 'cmd'],
    ['mounts', 'tmpfs', 'declaredVolumes'],
    ['networkMode', 'networks', 'macAddress'],
  ]
  const grouped = new Set(together.flat())
  const others = (Object.keys(containerOptions.shape) as (keyof ContainerOptions)[]).filter((key) => key !== 'image' && !grouped.has(key))
  return [...together, ...others.map((key) => [key])]
})()
/** How the client of that time was attached and how it put things: nobody misses it in a list of what was kept. */
const clientWishes = new Set<keyof ContainerOptions>([
  'attachStdin',
  'attachStdout',
  'attachStderr',
  'stdinOnce',
  'declaredVolumes',
  'isolation',
  'unsaid',
  'volumeDriver',
  'echoed',
])
const words = (value: unknown) => JSON.stringify(value) ?? ''
/** Spelling is how it was said, not what was said; and what is nothing, 0 or -1 asks for nothing. */
const meaning = (value: unknown): string => {
  const something = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(something)
    if (typeof part !== 'object' || part === null) return part
    const fields = Object.entries(part).flatMap(([key, field]) => (key === 'spelling' ? [] : [[key, something(field)] as const]))
    const asked = fields.filter(([, field]) => !idle.has(words(field)))
    return Object.fromEntries(asked)
  }
  return words(something(value))
}
const idle = new Set(['null', '0', '-1', 'false', '""', '[]', '{}', ''])

/**
 * An option that the form cannot show (a health check without a shell, masked paths) stays what it was, unless somebody changed the fields beside it.
 * Returns the names of those that were taken over.
 */
function takeOver(options: ContainerOptions, origin: NonNullable<FormValues['origin']>): string[] {
  const kept: string[] = []
  for (const group of groups) {
    if (group.some((key) => words(options[key]) !== words(origin.seen[key]))) continue
    for (const key of group) {
      if (words(options[key]) === words(origin.options[key])) continue
      if (meaning(options[key]) !== meaning(origin.options[key]) && !clientWishes.has(key)) kept.push(key)
      Object.assign(options, { [key]: origin.options[key] })
    }
  }
  return kept
}

function portValue(row: PortRow): string {
  const ip = row.hostIp.trim()
  const address = ip.includes(':') && !ip.startsWith('[') ? `[${ip}]` : ip
  const front = address ? `${address}:${row.host.trim()}:` : row.host.trim() ? `${row.host.trim()}:` : ''
  return `${front}${row.container.trim()}${row.protocol === 'tcp' ? '' : `/${row.protocol}`}`
}

function mountValue(row: MountRow): [flag: string, value: string] {
  const source = row.type === 'tmpfs' ? '' : row.source.trim()
  const target = row.target.trim()
  const more = row.more.trim()
  if (row.type === 'bind' && !source.startsWith('/')) throw new Error(`-v: the host's path must be absolute: "${source}"`)
  if (!target.startsWith('/')) throw new Error(`-v: the path in the container must be absolute: "${target}"`)
  if (row.type === 'volume' && source && !objectName.safeParse(source).success)
    throw new Error(`-v: "${source}" is not a name for a volume; a path of the host is mounted by the kind "host path"`)
  const volumeWords = asVolumeWords(row)
  const fits = volumeWords !== null && !source.includes(':') && !target.includes(':') && (source || volumeWords.length === 0)
  if (fits && row.type !== 'tmpfs') return ['volume', [source, target, volumeWords.join()].filter(Boolean).join(':')]
  if (row.type === 'bind' && row.create)
    throw new Error(`"${more || source}" needs --mount, which makes no directory on the host; untick that it is made`)
  const fields = [`type=${row.type}`, source ? `source=${source}` : '', `target=${target}`, row.readOnly ? 'readonly' : ''].filter(Boolean)
  return ['mount', [writeFields(fields), more].filter(Boolean).join()]
}

/** What stands after the second colon of `-v`; null when only `--mount` can say it. */
function asVolumeWords(row: MountRow): string[] | null {
  if (row.type === 'bind' && !row.create) return null
  const others = readFields(row.more.trim()).filter(Boolean)
  const words = others.map((field) =>
    /^[zZ]$/.test(field) ? field : field === 'volume-nocopy' ? 'nocopy' : /^bind-propagation=(\w+)$/.exec(field)?.[1],
  )
  return words.includes(undefined) ? null : [row.readOnly ? 'ro' : '', ...(words as string[])].filter(Boolean)
}

/** The form filled with options: of a pasted line, or of a container that is duplicated. */
export function fillForm(
  name: string | undefined,
  options: ContainerOptions,
  pull: FormValues['pull'] = 'missing',
  start = true,
): FormValues {
  const values: FormValues = {
    ...emptyForm,
    flags: { ...emptyForm.flags },
    switches: { ...emptyForm.switches },
    pull,
    start,
    name: name ?? '',
    image: options.image,
    entrypoint: (options.entrypoint ?? []).map(quoteWord).join(' '),
    command: (options.cmd ?? []).map(quoteWord).join(' '),
    restart: writeRestart(options.restart),
    mounts: [],
    ports: options.ports.map((port) => ({
      hostIp: port.hostIp,
      host: port.hostPort ? `${port.hostPort}${port.hostPortEnd ? `-${port.hostPortEnd}` : ''}` : '',
      container: `${port.containerPort}`,
      protocol: port.protocol,
    })),
  }
  const lists = new Map<string, string[]>()
  const further: string[] = []
  for (const [flag, value = ''] of runArguments(options)) {
    if (flag === 'volume' || flag === 'mount') values.mounts.push(mountRow(flag, value))
    else if (flag === 'network') {
      if (!values.network && value === options.networkMode) values.network = value
      else further.push(value)
    } else if (switchFlags.has(flag)) values.switches[flag] = value !== 'false'
    else if (lineFlags.has(flag)) lists.set(flag, [...(lists.get(flag) ?? []), value])
    // A switch with a third state, which is to leave it to the engine.
    else if (flag in values.flags) values.flags[flag] = value || 'true'
  }
  for (const [flag, entries] of lists) values.flags[flag] = writeLines(entries)
  values.networks = writeLines(further)
  const { run } = readForm(values)
  return { ...values, origin: run ? { options, seen: run.options } : null }
}

function mountRow(flag: string, value: string): MountRow {
  if (flag === 'volume') {
    const parts = value.split(':')
    const [source, target] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? '']
    const options = (parts[2] ?? '').split(',').filter(Boolean)
    const others = options.filter((option) => option !== 'ro')
    return {
      type: source.startsWith('/') ? 'bind' : 'volume',
      source,
      target,
      readOnly: options.includes('ro'),
      create: true,
      more: others
        .map((option) => (/^[zZ]$/.test(option) ? option : option === 'nocopy' ? 'volume-nocopy' : `bind-propagation=${option}`))
        .join(),
    }
  }
  const fields = readFields(value)
  const get = (key: string) => fields.find((field) => field.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
  const known = /^(type|source|target|readonly)(=|$)/
  return {
    type: get('type') as MountRow['type'],
    source: get('source'),
    target: get('target'),
    readOnly: fields.includes('readonly'),
    create: false,
    more: writeFields(fields.filter((field) => !known.test(field))),
  }
}

/** What is sent to the agent. */
export function createInput(run: ParsedRun): CreateContainerInput {
  return { name: run.name, options: run.options, pull: run.pull }
}
