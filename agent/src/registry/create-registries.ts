import type { RegistryAuth } from '@berth/contract/registry'
import { codeOf, EngineError, messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { defaultDomain, familiar, familiarName, parseReference, parseTagged } from '../oci/reference.ts'
import { openCredentials } from './credentials.ts'
import { serverDomain } from './hosts.ts'
import type { Registries } from './registries.ts'
import type { RegistryClient } from './registry-client.ts'

export interface RegistryStore extends Registries {
  /** For pulls and pushes: what was stored for a domain. Never leaves the engine otherwise. */
  credentials(domain: string): RegistryAuth | null
}

export interface RegistriesOptions {
  dataRoot: string
  registry: RegistryClient
  /** As configured, for display: mirrors of Docker Hub. */
  mirrors: readonly string[]
  log?: Logger
}

const tagPageSize = 500
const maxTags = 20_000

/** Opens the credential store below `dataRoot`/registries. */
export async function createRegistries({ dataRoot, registry, mirrors, log }: RegistriesOptions): Promise<RegistryStore> {
  const stored = await openCredentials({ dataRoot, log })
  // Asked rarely and by the event loop's grace: what was last known is shown until the question is answered.
  const insecure = new Map<string, boolean>()
  const noteInsecure = async (domain: string) => {
    insecure.set(domain, await registry.isInsecure(domain))
  }
  for (const { server } of stored.list()) await noteInsecure(server)

  return {
    credentials: (domain) => stored.get(domain),
    list: () =>
      stored.list().map((entry) => ({
        ...entry,
        insecure: insecure.get(entry.server) ?? false,
        mirrors: entry.server === defaultDomain ? [...mirrors] : [],
      })),
    async login({ serverAddress, ...auth }, { store }) {
      const domain = serverDomain(serverAddress)
      if (!auth.identityToken && (!auth.username || !auth.password))
        throw new EngineError('invalid_argument', `a user name and a password are needed to log in to ${domain}`)
      await registry.ping(domain, auth).catch((error) => {
        if (codeOf(error) !== 'unauthenticated' && codeOf(error) !== 'permission_denied') throw error
        throw new EngineError('unauthenticated', `login attempt to ${domain} failed: ${withoutHint(messageOf(error))}`, { cause: error })
      })
      if (store) {
        await noteInsecure(domain)
        await stored.put(domain, auth)
      }
      return { status: 'Login Succeeded', identityToken: '' }
    },
    async logout(server) {
      const domain = serverDomain(server)
      if (!(await stored.remove(domain))) throw new EngineError('not_found', `not logged in to ${domain}`)
    },
    async test(server) {
      const domain = serverDomain(server)
      try {
        const { version } = await registry.ping(domain, stored.get(domain))
        return { ok: true, message: `${domain} answers`, version }
      } catch (error) {
        return { ok: false, message: messageOf(error), version: '' }
      }
    },
    async catalog(server, page) {
      const domain = serverDomain(server)
      const { names, next } = await registry.catalog(domain, stored.get(domain), page)
      return { repositories: names, next }
    },
    async tags(text) {
      const reference = parseReference(text)
      const repository = registry.origin(reference, stored.get(reference.domain))
      const tags: string[] = []
      let last: string | undefined
      for (;;) {
        const { names, next } = await repository.tags({ limit: tagPageSize, last })
        tags.push(...names)
        if (next === null || next === last) return tags
        if (tags.length >= maxTags)
          throw new EngineError('resource_exhausted', `${familiarName(reference)} has more than ${maxTags} tags; ask the registry itself`)
        last = next
      }
    },
    async deleteTag(text) {
      const reference = parseTagged(text)
      const repository = registry.origin(reference, stored.get(reference.domain))
      const head = await repository.head(reference.digest ?? reference.tag ?? 'latest')
      if (!head) throw new EngineError('not_found', `manifest for ${familiar(reference)} not found: manifest unknown`)
      // A server that does not say the digest in the head must be asked for the whole.
      const digest = head.digest ?? (await repository.manifest(reference.tag ?? 'latest')).digest
      await repository.deleteManifest(digest)
    },
  }
}

function withoutHint(text: string): string {
  return text.replace(/^login attempt to \S+ failed: /, '').replace(/; log in to \S+$/, '')
}
