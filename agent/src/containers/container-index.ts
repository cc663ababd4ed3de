/** Containers by id, name and prefix, and the names that a create has reserved. */
import { EngineError } from '../errors.ts'
import type { Container } from './container.ts'

const minimumPrefix = 1

export class ContainerIndex {
  readonly #byId = new Map<string, Container>()
  readonly #byName = new Map<string, string>()
  /** Ids sorted, for prefixes; made anew when asked after a change. */
  #sorted: string[] | null = null
  /** Likewise, in the order of lists. */
  #newestFirst: readonly Container[] | null = null
  /** Those that were made with links: few, and every list asks for what they call others. Links may be taken away later, never added. */
  readonly #linking = new Set<Container>()

  /** Grows with whatever changes what a list tells. */
  revision = 0
  readonly #changed = (): void => {
    this.revision++
  }

  add(container: Container): void {
    container.changed = this.#changed
    this.#changed()
    this.#byId.set(container.id, container)
    this.#byName.set(container.record.name, container.id)
    if (container.record.options.links.length > 0) this.#linking.add(container)
    this.#sorted = null
    this.#newestFirst = null
  }

  delete(container: Container): void {
    this.#byId.delete(container.id)
    this.#linking.delete(container)
    this.#changed()
    if (this.#byName.get(container.record.name) === container.id) this.#byName.delete(container.record.name)
    this.#sorted = null
    this.#newestFirst = null
  }

  /** Takes a name for an id before the container exists. @throws EngineError already_exists with Docker's Conflict sentence */
  reserve(name: string, id: string): void {
    const holder = this.#byName.get(name)
    if (holder !== undefined && holder !== id)
      throw new EngineError(
        'already_exists',
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      )
    this.#byName.set(name, id)
  }

  release(name: string, id: string): void {
    if (this.#byName.get(name) === id) this.#byName.delete(name)
  }

  isTaken(name: string): boolean {
    return this.#byName.has(name)
  }

  get(id: string): Container | undefined {
    return this.#byId.get(id)
  }

  values(): IterableIterator<Container> {
    return this.#byId.values()
  }

  newestFirst(): readonly Container[] {
    this.#newestFirst ??= [...this.#byId.values()].sort((a, b) => (a.record.createdAt < b.record.createdAt ? 1 : -1))
    return this.#newestFirst
  }

  get size(): number {
    return this.#byId.size
  }

  /** A name (with or without "/"), an id or an unambiguous prefix. @throws EngineError not_found `No such container: X`, invalid_argument for an ambiguous prefix */
  resolve(spelled: string): Container {
    const name = spelled.startsWith('/') ? spelled.slice(1) : spelled
    const container = this.#byId.get(spelled) ?? this.#byId.get(this.#byName.get(name) ?? '') ?? this.#byLink(name) ?? this.#byPrefix(name)
    if (!container) throw new EngineError('not_found', `No such container: ${spelled}`)
    return container
  }

  /** `web/db`: what the container `web` calls `db` by a link. */
  #byLink(name: string): Container | undefined {
    const [parent = '', alias, ...rest] = name.split('/')
    if (alias === undefined || rest.length > 0) return undefined
    const links = this.#byId.get(this.#byName.get(parent) ?? '')?.record.options.links.map((link) => link.split(':')) ?? []
    const target = links.find(([other, as = other]) => as === alias)?.[0]
    return target === undefined ? undefined : this.resolve(target)
  }

  /** Names that links of other containers give to containers, `parent/alias`, by id. */
  linkNames(): Map<string, string[]> {
    const names = new Map<string, string[]>()
    for (const { record } of this.#linking)
      for (const link of record.options.links) {
        const [other = '', alias = other] = link.split(':')
        const id = this.#byName.get(other) ?? other
        names.set(id, [...(names.get(id) ?? []), `${record.name}/${alias}`])
      }
    return names
  }

  #byPrefix(prefix: string): Container | undefined {
    if (prefix.length < minimumPrefix || !/^[0-9a-f]{1,64}$/.test(prefix)) return undefined
    this.#sorted ??= [...this.#byId.keys()].sort()
    const sorted = this.#sorted
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sorted[middle] as string) < prefix) low = middle + 1
      else high = middle
    }
    const first = sorted[low]
    if (!first?.startsWith(prefix)) return undefined
    if (sorted[low + 1]?.startsWith(prefix))
      throw new EngineError('invalid_argument', `Multiple IDs found with provided prefix: ${prefix}; give more of the id`)
    return this.#byId.get(first)
  }
}
