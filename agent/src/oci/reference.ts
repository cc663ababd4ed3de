/**
 * What a user types for an image, by the grammar of the distribution project's reference package: `[domain[:port]/]path[:tag][@digest]`.
 * Two forms are in use: canonical (`docker.io/library/redis:7`), which is stored, and familiar (`redis:7`), which is shown.
 */
import { EngineError } from '../errors.ts'
import { type Digest, isDigest } from './digest.ts'

export interface Reference {
  /** `docker.io`, `localhost:5000`, `registry.example.com`. */
  domain: string
  /** `library/redis`, `team/app`. */
  path: string
  tag: string | null
  digest: Digest | null
}

export const defaultDomain = 'docker.io'
const pathPart = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const domainPattern =
  /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(?::[0-9]{1,5})?$/
const tagPattern = /^[\w][\w.-]{0,127}$/

/**
 * Reads a reference; domain and `library/` are filled in, the tag is not.
 * @throws invalid_argument with Docker's words
 */
export function parseReference(text: string): Reference {
  if (text.length === 0 || text.length > 4096) throw invalid(text)
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw new EngineError('invalid_argument', `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }
  const at = text.indexOf('@')
  const digest = at < 0 ? null : text.slice(at + 1)
  if (digest !== null && !isDigest(digest)) throw invalid(text)
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const tag = hasTag ? named.slice(colon + 1) : null
  if (tag !== null && !tagPattern.test(tag)) throw invalid(text)
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named)
  if (!domainPattern.test(domain)) throw invalid(text)
  if (/[A-Z]/.test(path)) {
    throw new EngineError('invalid_argument', `invalid reference format: repository name (${path.slice(0, 200)}) must be lowercase`)
  }
  if (path.length > 255 || !path.split('/').every((part) => pathPart.test(part))) throw invalid(text)
  return { domain, path, tag, digest }
}

/** The same with `latest` where neither tag nor digest is given. */
export function parseTagged(text: string): Reference {
  const reference = parseReference(text)
  return reference.tag === null && reference.digest === null ? { ...reference, tag: 'latest' } : reference
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  let domain = isDomain ? first : defaultDomain
  let path = isDomain ? name.slice(slash + 1) : name
  if (domain === 'index.docker.io' || domain === 'registry-1.docker.io') domain = defaultDomain
  if (domain === defaultDomain && !path.includes('/')) path = `library/${path}`
  return { domain, path }
}

function invalid(text: string): EngineError {
  return new EngineError('invalid_argument', `invalid reference format: "${text.slice(0, 200)}"; use name, name:tag or name@sha256:…`)
}

/** `docker.io/library/redis`: the repository as it is stored. */
export function canonicalName(reference: Pick<Reference, 'domain' | 'path'>): string {
  return `${reference.domain}/${reference.path}`
}

/** `docker.io/library/redis:7@sha256:…`. */
export function canonical(reference: Reference): string {
  return canonicalName(reference) + suffix(reference)
}

/** `redis`, `team/app`, `localhost:5000/app`: the repository as people see it. */
export function familiarName(reference: Pick<Reference, 'domain' | 'path'>): string {
  if (reference.domain !== defaultDomain) return canonicalName(reference)
  return reference.path.replace(/^library\/(?=[^/]+$)/, '')
}

export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference)
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`
}
