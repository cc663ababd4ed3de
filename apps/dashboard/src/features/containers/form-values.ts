import { type ContainerOptions, type CreateContainerInput, containerOptions } from '@berth/contract/container'
import { objectName } from '@berth/contract/id'
import { formSections } from './form-fields'
import { beginRun, type ParsedRun } from './parse-run-command'
import { runArguments } from './run-command'
import { quoteWord, splitWords } from './shell-words'

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
}

const switchFlags = new Set(
  formSections.flatMap((section) => section.fields.filter((field) => field.field.kind === 'switch').map((field) => field.flag)),
)
const lineFlags = new Set(
  formSections.flatMap((section) => section.fields.filter((field) => field.field.kind === 'lines').map((field) => field.flag)),
)

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
}

/** What is wrong, by the form's own field names. */
export type FormErrors = Record<string, string>

export interface ReadForm {
  run: ParsedRun | null
  errors: FormErrors
}

/** The form as options. Every field is tried, so that all that is wrong is said at once. */
export function readForm(values: FormValues): ReadForm {
  const errors: FormErrors = {}
  const draft = beginRun()
  const attempt = (field: string, work: () => void) => {
    try {
      work()
    } catch (error) {
      errors[field] ??= error instanceof Error ? error.message : String(error)
    }
  }
  const words = (field: string, line: string): string[] => {
    try {
      return splitWords(line)
    } catch (error) {
      errors[field] = error instanceof Error ? error.message : String(error)
      return []
    }
  }
  if (values.name) {
    if (!objectName.safeParse(values.name).success) errors.name = 'name'
    else draft.apply('name', values.name)
  }
  if (!values.image.trim()) errors.image = 'image'
  draft.apply('pull', values.pull)
  attempt('restart', () => values.restart && draft.apply('restart', values.restart))
  const entrypoint = words('entrypoint', values.entrypoint)
  if (entrypoint[0] !== undefined) draft.apply('entrypoint', entrypoint[0])
  if (values.network) draft.apply('network', values.network)
  for (const line of linesOf(values.networks)) attempt('networks', () => draft.apply('network', line))
  for (const [index, row] of values.ports.entries()) {
    if (row.container.trim() || row.host.trim()) attempt(`ports.${index}`, () => draft.apply('publish', portValue(row)))
  }
  for (const [index, row] of values.mounts.entries()) {
    if (row.target.trim() || row.source.trim()) attempt(`mounts.${index}`, () => draft.apply(...mountValue(row)))
  }
  for (const [flag, on] of Object.entries(values.switches)) if (on) attempt(`switches.${flag}`, () => draft.apply(flag))
  for (const [flag, value] of Object.entries(values.flags)) {
    if (!value.trim()) continue
    for (const one of lineFlags.has(flag) ? linesOf(value) : [value.trim()]) attempt(`flags.${flag}`, () => draft.apply(flag, one))
  }
  const command = words('command', values.command)
  let run: ParsedRun | null = null
  attempt('form', () => {
    run = draft.end(values.image.trim() || 'IMAGE', entrypoint.slice(1), command)
    const checked = containerOptions.safeParse((run as ParsedRun).options)
    if (!checked.success) throw new Error(checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  })
  return { run, errors }
}

function linesOf(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

function portValue(row: PortRow): string {
  const ip = row.hostIp.trim()
  const address = ip.includes(':') && !ip.startsWith('[') ? `[${ip}]` : ip
  const front = address ? `${address}:${row.host.trim()}:` : row.host.trim() ? `${row.host.trim()}:` : ''
  return `${front}${row.container.trim()}${row.protocol === 'tcp' ? '' : `/${row.protocol}`}`
}

function mountValue(row: MountRow): [flag: string, value: string] {
  const more = row.more.trim()
  if (row.type === 'tmpfs')
    return ['mount', ['type=tmpfs', `target=${row.target.trim()}`, row.readOnly ? 'readonly' : '', more].filter(Boolean).join()]
  if (!more) {
    if (row.type === 'bind' && !row.source.trim().startsWith('/')) throw new Error(`-v: the host's path must be absolute: "${row.source}"`)
    if (!row.target.trim().startsWith('/')) throw new Error(`-v: the path in the container must be absolute: "${row.target}"`)
    return ['volume', [row.source.trim(), row.target.trim(), row.readOnly ? 'ro' : ''].filter(Boolean).join(':')]
  }
  return [
    'mount',
    [
      `type=${row.type}`,
      row.source.trim() ? `source=${row.source.trim()}` : '',
      `target=${row.target.trim()}`,
      row.readOnly ? 'readonly' : '',
      more,
    ]
      .filter(Boolean)
      .join(),
  ]
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
    ports: [],
    mounts: [],
    pull,
    start,
    name: name ?? '',
    image: options.image,
  }
  values.entrypoint = (options.entrypoint ?? []).map(quoteWord).join(' ')
  values.command = (options.cmd ?? []).map(quoteWord).join(' ')
  values.restart = `${options.restart.name}${options.restart.name === 'on-failure' && options.restart.maximumRetryCount ? `:${options.restart.maximumRetryCount}` : ''}`
  values.ports = options.ports.map((port) => ({
    hostIp: port.hostIp,
    host: port.hostPort ? `${port.hostPort}${port.hostPortEnd ? `-${port.hostPortEnd}` : ''}` : '',
    container: `${port.containerPort}`,
    protocol: port.protocol,
  }))
  const further: string[] = []
  const mounts = new Set(['-v', '--mount'])
  for (const [flag, value] of runArguments(undefined, options)) {
    const key = shortNames[flag] ?? flag.slice(2)
    if (mounts.has(flag)) values.mounts.push(mountRow(flag, value ?? ''))
    else if (flag === '-it') values.switches = { ...values.switches, interactive: true, tty: true }
    else if (flag === '--network') {
      if (!values.network && value === options.networkMode) values.network = value
      else further.push(value ?? '')
    } else if (switchFlags.has(key)) values.switches[key] = true
    else if (lineFlags.has(key)) values.flags[key] = values.flags[key] ? `${values.flags[key]}\n${value ?? ''}` : (value ?? '')
    else if (key in values.flags) values.flags[key] = value ?? ''
  }
  values.networks = further.join('\n')
  return values
}

const shortNames: Record<string, string> = { '-e': 'env', '-i': 'interactive', '-t': 'tty', '-P': 'publish-all' }

function mountRow(flag: string, value: string): MountRow {
  if (flag === '-v') {
    const parts = value.split(':')
    const [source, target] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? '']
    const options = (parts[2] ?? '').split(',').filter(Boolean)
    const others = options.filter((option) => option !== 'ro' && option !== 'rw')
    const bind = source.startsWith('/')
    return {
      type: bind ? 'bind' : 'volume',
      source,
      target,
      readOnly: options.includes('ro'),
      more: others.map((option) => (option === 'nocopy' ? 'volume-nocopy' : `bind-propagation=${option}`)).join(),
    }
  }
  const fields = value.split(',')
  const get = (key: string) => fields.find((field) => field.startsWith(`${key}=`))?.slice(key.length + 1) ?? ''
  const known = /^(type|source|target|readonly)(=|$)/
  return {
    type: get('type') as MountRow['type'],
    source: get('source'),
    target: get('target'),
    readOnly: fields.includes('readonly'),
    more: fields.filter((field) => !known.test(field)).join(),
  }
}

/** What is sent to the agent. */
export function createInput(run: ParsedRun): CreateContainerInput {
  return { name: run.name, options: run.options, pull: run.pull }
}
