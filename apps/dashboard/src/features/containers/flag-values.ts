/** How values are written after the flags of `docker run`: sizes, numbers, durations, comma lists. Readers throw one sentence that names the flag. */

const units: Record<string, number> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** `512m`, `1.5g`, `-1`. @throws Error */
export function readSize(flag: string, value: string): number {
  if (value === '-1') return -1
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(value)
  if (!match) throw new Error(`--${flag}: "${value}" is not a size; write 512m or 2g`)
  return Math.round(Number(match[1]) * (units[(match[2] || 'b').toLowerCase()] as number))
}

/** Bytes as the command line writes them: the greatest unit that is exact. */
export function writeSize(bytes: number): string {
  for (const [letter, unit] of [
    ['g', 1024 ** 3],
    ['m', 1024 ** 2],
    ['k', 1024],
  ] as const)
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`
  return `${bytes}`
}

/** @throws Error */
export function readWhole(flag: string, value: string): number {
  if (!/^-?\d+$/.test(value)) throw new Error(`--${flag}: "${value}" is not a whole number`)
  return Number(value)
}

/** @throws Error */
export function readDecimal(flag: string, value: string): number {
  const number = Number(value)
  if (value === '' || !Number.isFinite(number)) throw new Error(`--${flag}: "${value}" is not a number`)
  return number
}

const durations: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 }

/** `1m30s`, `500ms`, `2h`, and `0`, in milliseconds. @throws Error */
export function readDuration(flag: string, value: string): number {
  if (value === '0') return 0
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== value)
    throw new Error(`--${flag}: "${value}" is not a duration; write 30s or 1m30s`)
  return Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * (durations[part[2] as string] as number), 0))
}

export function writeDuration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** `name=value` at the first equals sign; without one the value is empty. */
export function readPair(value: string): [string, string] {
  const at = value.indexOf('=')
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)]
}

export function writePair(key: string, value: string): string {
  return value === '' ? key : `${key}=${value}`
}

/** One line of comma separated fields, quoted where they hold a comma or a quote (RFC 4180), as `--mount` reads it. */
export function readFields(value: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < value.length; at += 1) {
    const char = value[at] as string
    if (quoted && char === '"' && value[at + 1] === '"') {
      field += '"'
      at += 1
    } else if (char === '"' && (quoted || field === '')) quoted = !quoted
    else if (char === ',' && !quoted) {
      fields.push(field)
      field = ''
    } else field += char
  }
  return [...fields, field]
}

export function writeFields(fields: readonly string[]): string {
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join()
}
