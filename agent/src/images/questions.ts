/** Questions to registries about images that are not here: search, and what a reference stands for. */
import type { Platform } from '@berth/contract/image'
import type { RegistryAuth } from '@berth/contract/registry'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { parseImageConfig } from '../oci/image-config.ts'
import { check, imageLimits, parseManifest } from '../oci/manifest.ts'
import { defaultDomain, familiar, parseTagged } from '../oci/reference.ts'
import { downloadBlob } from '../registry/blob-download.ts'
import { serverDomain } from '../registry/hosts.ts'
import type { RegistryClient } from '../registry/registry-client.ts'

export interface FoundImage {
  name: string
  description: string
  stars: number
  official: boolean
}

const hubResults = z.object({
  results: z
    .array(
      z.object({
        name: z.string().max(512),
        description: z.string().nullish(),
        star_count: z.number().nullish(),
        is_official: z.boolean().nullish(),
      }),
    )
    .max(1000),
})
const maxAnswerBytes = 4 * 1024 * 1024
const pageSize = 500
const maxPages = 20

/** Docker Hub's search, or the catalog of the registry that the term names (`localhost:5000/web`). */
export async function searchImages(
  registry: RegistryClient,
  term: string,
  limit: number,
  authFor: (domain: string) => RegistryAuth | null,
): Promise<FoundImage[]> {
  const slash = term.indexOf('/')
  const first = slash < 0 ? '' : term.slice(0, slash)
  const domain = /[.:]/.test(first) || first === 'localhost' ? serverDomain(first) : defaultDomain
  const bounded = Math.min(Math.max(limit || 25, 1), 100)
  if (domain === defaultDomain) {
    const url = new URL('https://index.docker.io/v1/search')
    url.searchParams.set('q', domain === defaultDomain && /docker\.io$/.test(first) ? term.slice(slash + 1) : term)
    url.searchParams.set('n', String(bounded))
    const { results } = check(hubResults, await registry.json(url, maxAnswerBytes), 'the answer of Docker Hub')
    return results.slice(0, bounded).map((hit) => ({
      name: hit.name,
      description: hit.description ?? '',
      stars: hit.star_count ?? 0,
      official: hit.is_official ?? false,
    }))
  }
  const wanted = term.slice(slash + 1).toLowerCase()
  const found: FoundImage[] = []
  let last: string | undefined
  for (let page = 0; page < maxPages && found.length < bounded; page++) {
    const { names, next } = await registry.catalog(domain, authFor(domain), { limit: pageSize, last })
    for (const name of names)
      if (name.toLowerCase().includes(wanted)) found.push({ name: `${domain}/${name}`, description: '', stars: 0, official: false })
    if (next === null || next === last) break
    last = next
  }
  return found.slice(0, bounded)
}

/** Digest, type and platforms of a reference, asking the origin. */
export async function describeRemote(
  registry: RegistryClient,
  text: string,
  auth: RegistryAuth | null,
): Promise<{ mediaType: string; digest: Digest; sizeBytes: number; platforms: Platform[] }> {
  const reference = parseTagged(text)
  const repository = registry.origin(reference, auth)
  const remote = await repository.manifest(reference.digest ?? reference.tag ?? 'latest')
  const parsed = parseManifest(remote.bytes, remote.mediaType, familiar(reference))
  const common = { mediaType: parsed.mediaType, digest: remote.digest, sizeBytes: remote.bytes.length }
  if (parsed.kind === 'index')
    return { ...common, platforms: parsed.manifests.flatMap(({ platform }) => (platform && platform.os !== 'unknown' ? [platform] : [])) }
  if (parsed.config.size > imageLimits.configBytes)
    throw new EngineError('invalid_argument', `the configuration of ${text} is larger than ${imageLimits.configBytes} bytes; it is refused`)
  const chunks: Buffer[] = []
  for await (const chunk of downloadBlob([repository], { digest: parsed.config.digest, sizeBytes: parsed.config.size }, 0))
    chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (digestOf(bytes) !== parsed.config.digest) throw new EngineError('data_loss', `the configuration of ${text} does not match its digest`)
  return { ...common, platforms: [parseImageConfig(bytes, text).platform] }
}
