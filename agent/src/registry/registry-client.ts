/**
 * The distribution-spec client: what can be asked of one repository on one server. Knows nothing of images; bytes are verified by those who keep them,
 * except manifests, which are small and checked here.
 */
import type { Readable } from 'node:stream'
import type { RegistryAuth } from '@berth/contract/registry'
import { EngineError } from '../errors.ts'
import { type Digest, digestOf, isDigest } from '../oci/digest.ts'
import { acceptedManifests, imageLimits } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { type Authorizer, createAuthorizer } from './authorize.ts'
import { createHosts, type RegistryHosts, type Source } from './hosts.ts'
import { type Answer, createHttp, type Exchange, type RegistryHttp, readBody } from './http.ts'
import { listPage, type Page } from './paging.ts'
import { answerError, mayBePlainHttp } from './registry-error.ts'
import { uploadBlob } from './upload.ts'

export interface RemoteManifest {
  digest: Digest
  mediaType: string
  bytes: Buffer
}

/** One repository on one server. Every call takes credentials as its repository was opened with. */
export interface Repository {
  /** `host[:port]` it is served by. */
  readonly host: string
  readonly mirror: boolean
  /** @param reference tag or digest. @throws not_found, unauthenticated, permission_denied, unavailable, data_loss (digest differs), invalid_argument (too large) */
  manifest(reference: string, signal?: AbortSignal): Promise<RemoteManifest>
  /** Digest, type and size without the body; null when it is not there. */
  head(reference: string, signal?: AbortSignal): Promise<{ digest: Digest | null; mediaType: string; sizeBytes: number } | null>
  /** A blob's bytes from `start` on. `skip` of them must be thrown away first, where the server does not resume. */
  blob(digest: Digest, start: number, signal?: AbortSignal): Promise<{ body: Readable; skip: number }>
  hasBlob(digest: Digest, signal?: AbortSignal): Promise<boolean>
  /** Uploads, or mounts from another repository of the same server. @returns how it got there */
  push(
    blob: { digest: Digest; sizeBytes: number; open: () => Readable; mountFrom?: string },
    on: { signal?: AbortSignal; sent?: (bytes: number) => void },
  ): Promise<'uploaded' | 'mounted' | 'exists'>
  putManifest(reference: string, bytes: Buffer, mediaType: string, signal?: AbortSignal): Promise<Digest>
  tags(page: { last?: string; limit: number }): Promise<Page>
  /** @throws failed_precondition where the registry does not allow it */
  deleteManifest(digest: Digest): Promise<void>
}

export interface RegistryClient {
  /** The places to pull a repository from, in order: mirrors, then the origin. */
  sources(name: Pick<Reference, 'domain' | 'path'>, auth: RegistryAuth | null): Repository[]
  /** The origin, for pushing and questions. */
  origin(name: Pick<Reference, 'domain' | 'path'>, auth: RegistryAuth | null): Repository
  /** `GET /v2/`. @throws unauthenticated, unavailable */
  ping(domain: string, auth: RegistryAuth | null): Promise<{ version: string }>
  catalog(domain: string, auth: RegistryAuth | null, page: { last?: string; limit: number }): Promise<Page>
  /** Any JSON document over HTTPS (Docker Hub's search). */
  json(url: URL, limit: number): Promise<unknown>
  isInsecure(host: string): Promise<boolean>
  close(): Promise<void>
}

/** What a repository's calls are made with. */
export interface Connection {
  source: Source
  path: string
  auth: RegistryAuth | null
  send(exchange: Omit<Exchange, 'url'> & { path: string | URL }, scopes: readonly string[]): Promise<Answer>
}

const schemeMemoryMs = 3600_000

export function createRegistryClient(options: { mirrors: readonly string[]; insecure: readonly string[] }): RegistryClient {
  const hosts = createHosts(options)
  const http = createHttp(hosts)
  const authorizer = createAuthorizer(http, hosts)
  const schemes = createSchemes(hosts, http)
  const connect = (source: Source, path: string, auth: RegistryAuth | null): Connection => ({
    source,
    path,
    auth,
    async send(exchange, scopes) {
      const { path: target, ...rest } = exchange
      const base = typeof target === 'string' ? new URL(`${await schemes.of(source)}://${source.host}${source.prefix}${target}`) : target
      const foreign = typeof target !== 'string' && target.host !== source.host
      return foreign ? http.send({ ...rest, url: base }) : send(authorizer, { ...rest, url: base }, auth, scopes)
    },
  })
  return {
    sources: ({ domain, path }, auth) =>
      hosts.sources(domain).map((source) => openRepository(connect(source, path, source.mirror ? null : auth))),
    origin: ({ domain, path }, auth) => {
      const source = hosts.sources(domain).at(-1) as Source
      return openRepository(connect(source, path, auth))
    },
    async ping(domain, auth) {
      const answer = await connect(hosts.sources(domain).at(-1) as Source, '', auth).send({ method: 'GET', path: '/v2/' }, [])
      if (answer.status !== 200)
        throw await answerError(answer, { doing: `login attempt to ${answer.url.origin}/v2/ failed`, name: domain })
      await answer.body.dump()
      return { version: String(answer.headers['docker-distribution-api-version'] ?? '') }
    },
    catalog: (domain, auth, page) =>
      listPage(
        connect(hosts.sources(domain).at(-1) as Source, '', auth),
        '/v2/_catalog',
        'repositories',
        page,
        ['registry:catalog:*'],
        `listing ${domain}`,
      ),
    async json(url, limit) {
      const answer = await http.send({ method: 'GET', url, headers: { accept: 'application/json' } })
      if (answer.status !== 200) throw await answerError(answer, { doing: `asking ${url.host}`, name: url.host })
      return JSON.parse((await readBody(answer, limit, 'the answer')).toString('utf8'))
    },
    isInsecure: (host) => hosts.isInsecure(host),
    close: () => http.close(),
  }
}

function send(authorizer: Authorizer, exchange: Exchange, auth: RegistryAuth | null, scopes: readonly string[]): Promise<Answer> {
  return authorizer.send(exchange, auth, scopes)
}

/** Finds out once whether an insecure host speaks TLS or plain HTTP. */
function createSchemes(hosts: RegistryHosts, http: RegistryHttp): { of(source: Source): Promise<'http' | 'https'> } {
  const known = new Map<string, { scheme: 'http' | 'https'; until: number }>()
  const probe = async (source: Source): Promise<'http' | 'https'> => {
    if (source.scheme) return source.scheme
    if (!(await hosts.isInsecure(source.host))) return 'https'
    try {
      const answer = await http.send({ method: 'GET', url: new URL(`https://${source.host}/v2/`), attempts: 1, headersTimeoutMs: 10_000 })
      await answer.body.dump().catch(() => {})
      return 'https'
    } catch (error) {
      if (mayBePlainHttp(error)) return 'http'
      throw error
    }
  }
  return {
    async of(source) {
      const cached = known.get(source.host)
      if (cached && cached.until > performance.now()) return cached.scheme
      const scheme = await probe(source)
      // A server that is down may come back with TLS: remembered only by those who reach it.
      known.set(source.host, { scheme, until: performance.now() + (scheme === 'http' ? 60_000 : schemeMemoryMs) })
      return scheme
    },
  }
}

function openRepository(connection: Connection): Repository {
  const { source, path } = connection
  const pull = [`repository:${path}:pull`]
  const name = path
  const accept = acceptedManifests.join(', ')
  const place = `${source.host}/${path}`
  return {
    host: source.host,
    mirror: source.mirror,
    async manifest(reference, signal) {
      const answer = await connection.send({ method: 'GET', path: `/v2/${path}/manifests/${reference}`, headers: { accept }, signal }, pull)
      if (answer.status !== 200) throw await manifestError(answer, source, path, reference)
      const bytes = await readBody(answer, imageLimits.manifestBytes, `the manifest of ${path}:${reference}`)
      const digest = digestOf(bytes)
      if (isDigest(reference) && digest !== reference) {
        throw new EngineError('data_loss', `${source.host} answers ${digest} for the manifest ${reference} of ${path}; it is refused`)
      }
      return { digest, mediaType: header(answer, 'content-type').split(';')[0]?.trim() ?? '', bytes }
    },
    async head(reference, signal) {
      const answer = await connection.send(
        { method: 'HEAD', path: `/v2/${path}/manifests/${reference}`, headers: { accept }, signal },
        pull,
      )
      await answer.body.dump().catch(() => {})
      if (answer.status === 404) return null
      if (answer.status !== 200) throw await manifestError(answer, source, path, reference)
      const digest = header(answer, 'docker-content-digest')
      const sizeBytes = Number(header(answer, 'content-length')) || 0
      return { digest: isDigest(digest) ? digest : null, mediaType: header(answer, 'content-type').split(';')[0]?.trim() ?? '', sizeBytes }
    },
    async blob(digest, start, signal) {
      const headers: Record<string, string> =
        start > 0 ? { range: `bytes=${start}-`, 'accept-encoding': 'identity' } : { 'accept-encoding': 'identity' }
      const answer = await connection.send({ method: 'GET', path: `/v2/${path}/blobs/${digest}`, headers, signal }, pull)
      if (answer.status === 206) {
        const from = Number(/^bytes (\d+)-/.exec(header(answer, 'content-range'))?.[1] ?? Number.NaN)
        if (from === start) return { body: answer.body, skip: 0 }
        answer.body.destroy()
        throw new EngineError('unavailable', `${source.host} answers another part of ${digest} than was asked for`)
      }
      if (answer.status === 200) return { body: answer.body, skip: start }
      throw await answerError(answer, { doing: `downloading a layer from ${place}`, name })
    },
    async hasBlob(digest, signal) {
      const answer = await connection.send({ method: 'HEAD', path: `/v2/${path}/blobs/${digest}`, signal }, [
        `repository:${path}:pull,push`,
      ])
      await answer.body.dump().catch(() => {})
      if (answer.status === 200) return true
      if (answer.status === 404) return false
      throw await answerError(answer, { doing: `pushing to ${place}`, name })
    },
    push: (blob, on) => uploadBlob(connection, blob, on),
    async putManifest(reference, bytes, mediaType, signal) {
      const target = `/v2/${path}/manifests/${reference}`
      const answer = await connection.send({ method: 'PUT', path: target, headers: { 'content-type': mediaType }, body: bytes, signal }, [
        `repository:${path}:pull,push`,
      ])
      if (answer.status !== 201 && answer.status !== 200) throw await answerError(answer, { doing: `pushing to ${place}`, name })
      await answer.body.dump().catch(() => {})
      return digestOf(bytes)
    },
    tags: (page) => listPage(connection, `/v2/${path}/tags/list`, 'tags', page, pull, `listing tags of ${source.host}/${path}`),
    async deleteManifest(digest) {
      const answer = await connection.send({ method: 'DELETE', path: `/v2/${path}/manifests/${digest}` }, [
        `repository:${path}:delete`,
        `repository:${path}:*`,
      ])
      if (answer.status !== 202 && answer.status !== 200) throw await answerError(answer, { doing: `deleting from ${place}`, name })
      await answer.body.dump().catch(() => {})
    },
  }
}

/** Docker's sentences for a manifest that does not come. */
async function manifestError(answer: Answer, source: Source, path: string, reference: string): Promise<EngineError> {
  const shown = source.host === 'registry-1.docker.io' ? path.replace(/^library\//, '') : `${source.host}/${path}`
  const full = isDigest(reference) ? `${shown}@${reference}` : `${shown}:${reference}`
  const error = await answerError(answer, { doing: `pulling ${full}`, name: shown, reference: full })
  const denied = error.code === 'permission_denied' || error.code === 'unauthenticated'
  if (!denied || answer.url.host !== source.host) return error
  const words = error.message.slice(error.message.indexOf(': ') + 2)
  return new EngineError(error.code, `pull access denied for ${shown}, repository does not exist or may require 'docker login': ${words}`)
}

function header(answer: Answer, name: string): string {
  const value = answer.headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? ''
}
