import { EngineError } from '../errors.ts'

/** Reads fields of a JSON object that a client sent, with the kind checked and Docker's way of naming what is wrong. null and absent are the fallback. */
export class Fields {
  readonly #object: Record<string, unknown>
  readonly #path: string

  constructor(object: unknown, path = '') {
    if (object !== undefined && object !== null && (typeof object !== 'object' || Array.isArray(object))) throw wrong(path, 'an object')
    this.#object = (object ?? {}) as Record<string, unknown>
    this.#path = path
  }

  #name(key: string): string {
    return this.#path ? `${this.#path}.${key}` : key
  }

  /** The raw value; Go's decoder matches keys without regard to case, and old clients rely on it. */
  raw(key: string): unknown {
    if (key in this.#object) return this.#object[key]
    const lower = key.toLowerCase()
    const found = Object.keys(this.#object).find((name) => name.toLowerCase() === lower)
    return found === undefined ? undefined : this.#object[found]
  }

  has(key: string): boolean {
    const value = this.raw(key)
    return value !== undefined && value !== null
  }

  object(key: string): Fields {
    return new Fields(this.raw(key), this.#name(key))
  }

  text(key: string, fallback = ''): string {
    const value = this.raw(key)
    if (value === undefined || value === null) return fallback
    if (typeof value !== 'string') throw wrong(this.#name(key), 'a string')
    if (value.includes('\0')) throw new EngineError('invalid_argument', `${this.#name(key)} must not contain a NUL byte`)
    return value
  }

  number(key: string, fallback = 0): number {
    const value = this.raw(key)
    if (value === undefined || value === null) return fallback
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(this.#name(key), 'a number')
    if (!Number.isInteger(value)) throw wrong(this.#name(key), 'a whole number')
    return value
  }

  bool(key: string, fallback = false): boolean {
    const value = this.raw(key)
    if (value === undefined || value === null) return fallback
    if (typeof value !== 'boolean') throw wrong(this.#name(key), 'true or false')
    return value
  }

  /** A list of strings; a lone string (old clients' Cmd and Entrypoint) is a list of one. null when absent. */
  texts(key: string): string[] | null {
    const value = this.raw(key)
    if (value === undefined || value === null) return null
    if (typeof value === 'string') return [value]
    if (!Array.isArray(value)) throw wrong(this.#name(key), 'a list of strings')
    return value.map((item, index) => {
      if (typeof item !== 'string') throw wrong(`${this.#name(key)}[${index}]`, 'a string')
      if (item.includes('\0')) throw new EngineError('invalid_argument', `${this.#name(key)}[${index}] must not contain a NUL byte`)
      return item
    })
  }

  objects(key: string): Fields[] {
    const value = this.raw(key)
    if (value === undefined || value === null) return []
    if (!Array.isArray(value)) throw wrong(this.#name(key), 'a list')
    return value.map((item, index) => new Fields(item, `${this.#name(key)}[${index}]`))
  }

  /** A map of strings; null when absent. */
  map(key: string): Record<string, string> | null {
    const value = this.raw(key)
    if (value === undefined || value === null) return null
    if (typeof value !== 'object' || Array.isArray(value)) throw wrong(this.#name(key), 'a map')
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown>).map(([name, item]) => {
        if (typeof item !== 'string') throw wrong(`${this.#name(key)}.${name}`, 'a string')
        return [name, item]
      }),
    )
  }

  /** Keys of a set written as a map of empty objects (ExposedPorts, Volumes). */
  keys(key: string): string[] {
    const value = this.raw(key)
    if (value === undefined || value === null) return []
    if (typeof value !== 'object' || Array.isArray(value)) throw wrong(this.#name(key), 'a map')
    return Object.keys(value)
  }
}

function wrong(name: string, kind: string): EngineError {
  return new EngineError('invalid_argument', `invalid JSON: ${name || 'the body'} must be ${kind}`)
}
