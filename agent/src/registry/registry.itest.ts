/**
 * Logins, mirrors, the way out and every class of hostile registry. Longer than other files because the hostile servers share one small registry that each
 * case bends in its own way.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeDataRoot, openImageRooms, testContext } from '../../test/image-rooms.ts'
import { busyboxImage, imageOf, layerOf, pushTestImage, sha256, tarOf } from '../../test/images.ts'
import { startRegistry } from '../../test/registry.ts'
import { startTokenServer } from '../../test/token-server.ts'
import { createHosts } from './hosts.ts'
import { createHttp } from './http.ts'

let dataRoot: string
let rooms: Awaited<ReturnType<typeof openImageRooms>>
const undo: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  dataRoot = makeDataRoot()
  rooms = await openImageRooms(dataRoot)
})
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
  await rooms.destroy()
})
const started = <T extends { stop(): Promise<unknown> }>(thing: T): T => {
  undo.push(() => thing.stop())
  return thing
}
const auth = { username: 'ann', password: 's3cret' }
const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`

describe('login', () => {
  it('with htpasswd: wrong password in the registry’s words, then push and pull with what was stored', async () => {
    const htpasswd = execFileSync('htpasswd', ['-Bbn', 'ann', 's3cret'], { encoding: 'utf8' })
    const registry = started(await startRegistry({ htpasswd }))
    await pushTestImage(registry.url, 'busybox', '1', busyboxImage(), { headers: { authorization: basic } })
    const reference = `${registry.host}/busybox:1`
    await expect(rooms.images.pull({ reference }, testContext())).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining(`pull access denied for ${registry.host}/busybox`),
    })
    await expect(
      rooms.registries.login({ username: 'ann', password: 'wrong', serverAddress: registry.host }, { store: true }),
    ).rejects.toMatchObject({
      code: 'unauthenticated',
      message: `login attempt to ${registry.host} failed: unauthorized: authentication required`,
    })
    expect(rooms.registries.list()).toEqual([])
    expect(await rooms.registries.login({ ...auth, serverAddress: `http://${registry.host}/v2/` }, { store: true })).toEqual({
      status: 'Login Succeeded',
      identityToken: '',
    })
    expect(rooms.registries.list()).toMatchObject([{ server: registry.host, username: 'ann', insecure: true }])
    await rooms.images.pull({ reference }, testContext())
    await rooms.images.tag(reference, `${registry.host}/copy:1`)
    await rooms.images.push({ reference: `${registry.host}/copy:1` }, testContext())
    expect((await rooms.registries.catalog(registry.host, { limit: 10 })).repositories).toEqual(['busybox', 'copy'])
    expect(await rooms.registries.test(registry.host)).toMatchObject({ ok: true })
    await rooms.registries.logout(registry.host)
    await expect(rooms.images.push({ reference: `${registry.host}/copy:1` }, testContext())).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    // Given with the call, as docker does.
    await rooms.images.push({ reference: `${registry.host}/copy:1`, auth }, testContext())
  })

  it('with bearer tokens of a token server', async () => {
    const token = started(await startTokenServer('ann', 's3cret'))
    const registry = started(await startRegistry({ token }))
    await rooms.registries.login({ ...auth, serverAddress: registry.host }, { store: true })
    await expect(rooms.registries.login({ ...auth, password: 'no', serverAddress: registry.host }, { store: true })).rejects.toThrow(
      'incorrect username or password',
    )
    const { id } = await rooms.images.import(
      streamOf(tarOf((d) => writeFileSync(join(d, 'x'), 'x'))),
      { reference: `${registry.host}/team/app:1`, message: '', changes: [] },
      testContext(),
    )
    await rooms.images.push({ reference: `${registry.host}/team/app:1` }, testContext())
    await rooms.images.remove(id, { force: true, prune: true })
    await rooms.images.pull({ reference: `${registry.host}/team/app:1` }, testContext())
    expect(token.requests.flatMap((request) => request.scopes)).toEqual(
      expect.arrayContaining(['repository:team/app:pull,push', 'repository:team/app:pull']),
    )
  })

  it('keeps secrets encrypted, mode 0600, across restarts', async () => {
    const registry = started(await startRegistry())
    await rooms.registries.login({ ...auth, serverAddress: registry.host }, { store: true })
    const directory = join(dataRoot, 'registries')
    for (const name of readdirSync(directory)) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
      expect(readFileSync(join(directory, name), 'utf8')).not.toContain('s3cret')
    }
    await rooms.close()
    rooms = await openImageRooms(dataRoot)
    expect(rooms.registries.credentials(registry.host)).toEqual(auth)
    expect(JSON.stringify(rooms.registries.list())).not.toContain('s3cret')
  })
})

describe('mirrors', () => {
  it('are asked first for Docker Hub, and passed over when they fail', async () => {
    const mirror = started(await startRegistry())
    const { id } = await pushTestImage(mirror.url, 'library/busybox', 'latest', busyboxImage())
    const dead = 'http://127.0.0.1:9'
    const root = makeDataRoot()
    const own = await openImageRooms(root, { mirrors: [dead, mirror.url] })
    undo.push(() => own.destroy())
    expect(await own.images.pull({ reference: 'busybox' }, testContext())).toMatchObject({ id, reference: 'busybox:latest' })
  })
})

describe('the way out', () => {
  it('goes through the machine’s proxy, but not to loopback', async () => {
    const asked: string[] = []
    const proxy = createServer()
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '')
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    undo.push(() => new Promise<void>((resolve) => void proxy.close(() => resolve())))
    process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
    undo.push(async () => void delete process.env.HTTPS_PROXY)
    await expect(rooms.images.pull({ reference: 'registry.invalid/x:1' }, testContext())).rejects.toMatchObject({ code: 'unavailable' })
    expect(asked[0]).toBe('registry.invalid:443')
    const before = asked.length
    const registry = started(await startRegistry())
    await pushTestImage(registry.url, 'busybox', '1', busyboxImage())
    await rooms.images.pull({ reference: `${registry.host}/busybox:1` }, testContext())
    expect(asked.length).toBe(before)
  })

  it('asks for a certificate that checks out, except of listed hosts', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-tls-'))
    undo.push(async () => rmSync(directory, { recursive: true }))
    const key = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=x',
      '-days',
      '2',
      '-keyout',
      join(directory, 'key'),
      '-out',
      join(directory, 'cert'),
    ]
    execFileSync('openssl', key, { stdio: 'ignore' })
    const server = createTlsServer(
      { key: readFileSync(join(directory, 'key')), cert: readFileSync(join(directory, 'cert')) },
      (_request, response) => void response.end('{}'),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    undo.push(
      () =>
        new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        }),
    )
    const { port } = server.address() as { port: number }
    // Loopback may have any certificate; the same server under a name that is not listed may not.
    expect(await rooms.registries.test(`127.0.0.1:${port}`)).toMatchObject({ ok: true })
    const strict = createHttp({ ...createHosts({ mirrors: [], insecure: [] }), isInsecure: async () => false })
    undo.push(() => strict.close())
    await expect(strict.send({ method: 'GET', url: new URL(`https://127.0.0.1:${port}/v2/`) })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is not trusted'),
    })
  })
})

/** A registry that behaves as the test says; the rest is served from `blobs` and `manifests`. */
async function hostile(answer: (request: IncomingMessage, response: ServerResponse, path: string) => boolean) {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, { bytes: Buffer; type: string }>()
  const seen: { path: string; authorization?: string; range?: string }[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const { authorization, range } = request.headers
    seen.push({ path, ...(authorization ? { authorization } : {}), ...(range ? { range } : {}) })
    if (answer(request, response, path)) return
    const blob = blobs.get(/\/blobs\/(sha256:[0-9a-f]+)$/.exec(path)?.[1] ?? '')
    const manifest = manifests.get(/\/manifests\/([^/]+)$/.exec(path)?.[1] ?? '')
    if (path === '/v2/') return void response.end('{}')
    if (manifest) return void response.writeHead(200, { 'content-type': manifest.type }).end(manifest.bytes)
    if (!blob)
      return void response.writeHead(404).end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }))
    const start = Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
    if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` })
    response.end(blob.subarray(start))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  undo.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const add = (
    tag: string,
    image = imageOf([
      layerOf(
        tarOf((d) => writeFileSync(join(d, 'f'), Buffer.alloc(3_000_000, 7))),
        'none',
      ),
    ]),
  ) => {
    const config = Buffer.from(JSON.stringify(image.config))
    blobs.set(sha256(config), config)
    for (const layer of image.layers) blobs.set(sha256(layer.blob), layer.blob)
    const descriptor = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length })
    const document = {
      schemaVersion: 2,
      config: descriptor('application/vnd.oci.image.config.v1+json', config),
      layers: image.layers.map((layer) => descriptor(layer.mediaType, layer.blob)),
    }
    manifests.set(tag, { bytes: Buffer.from(JSON.stringify(document)), type: 'application/vnd.oci.image.manifest.v1+json' })
    return { config, layer: image.layers[0]?.blob as Buffer, document }
  }
  return { host: `127.0.0.1:${port}`, blobs, manifests, seen, add }
}
/** Waits until so many bytes of a download are on the disk: only then is an interruption one in the middle. */
async function received(bytes: number) {
  const directory = join(dataRoot, 'content', 'ingest')
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (readdirSync(directory).some((name) => statSync(join(directory, name)).size >= bytes)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${bytes} bytes did not come`)
}
const pull = (host: string, tag = '1') => rooms.images.pull({ reference: `${host}/x:${tag}` }, testContext())
const nothingVisible = async () => {
  expect(await rooms.images.list({ all: true })).toEqual([])
  expect(readdirSync(join(dataRoot, 'snapshots', 'l'))).toEqual([])
  expect(readdirSync(join(dataRoot, 'snapshots', 'tmp'))).toEqual([])
}
const streamOf = (bytes: Buffer) => Readable.from([bytes])

describe('a hostile or broken registry', () => {
  it('a blob that differs from its digest is refused and thrown away', async () => {
    const server = await hostile((_request, response, path) => {
      if (!path.includes('/blobs/') || !server.layer || !path.endsWith(sha256(server.layer))) return false
      const bytes = Buffer.from(server.layer)
      bytes[5000] = (bytes[5000] as number) ^ 1
      response.end(bytes)
      return true
    }).then((made) => Object.assign(made, { layer: null as Buffer | null }))
    server.layer = server.add('1').layer
    await expect(pull(server.host)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('failed verification') })
    await nothingVisible()
    expect(readdirSync(join(dataRoot, 'content', 'ingest'))).toEqual([])
  })

  it('a body that is cut is resumed by range; a server that ignores ranges is read again from the start', async () => {
    for (const honoursRange of [true, false]) {
      let cuts = 0
      const server = await hostile((request, response, path) => {
        if (!path.includes('/blobs/') || path.endsWith(sha256(made.config))) return false
        if (cuts++ < 2) {
          const start = honoursRange ? Number(/bytes=(\d+)/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0
          response.writeHead(start ? 206 : 200, {
            'content-length': made.layer.length - start,
            ...(start ? { 'content-range': `bytes ${start}-${made.layer.length - 1}/${made.layer.length}` } : {}),
          })
          response.write(made.layer.subarray(start, start + 1_000_000))
          received(start + 1_000_000).finally(() => response.destroy())
          return true
        }
        if (honoursRange) return false
        response.end(made.layer)
        return true
      })
      const made = server.add(
        '1',
        imageOf([
          layerOf(
            tarOf((d) => writeFileSync(join(d, `f${honoursRange}`), Buffer.alloc(4_000_000, honoursRange ? 1 : 2))),
            'none',
          ),
        ]),
      )
      await pull(server.host)
      const ranges = server.seen.filter((request) => request.range).map((request) => request.range)
      expect(ranges.length).toBeGreaterThanOrEqual(2)
    }
  })

  it('an interrupted pull is resumed by the next one', async () => {
    let stop = true
    const context = testContext()
    const server = await hostile((_request, response, path) => {
      if (!stop || !path.includes('/blobs/') || path.endsWith(sha256(made.config))) return false
      response.writeHead(200, { 'content-length': made.layer.length })
      response.write(made.layer.subarray(0, 2_000_000))
      received(1_000_000).finally(() => context.abort())
      return true
    })
    const made = server.add('1')
    await expect(rooms.images.pull({ reference: `${server.host}/x:1` }, context)).rejects.toMatchObject({ code: 'cancelled' })
    await nothingVisible()
    stop = false
    await rooms.close()
    rooms = await openImageRooms(dataRoot)
    await pull(server.host)
    expect(server.seen.at(-1)?.range).toMatch(/^bytes=[1-9]\d+-$/)
  })

  it('a body longer than announced, and one that never ends, are cut off', async () => {
    const server = await hostile((_request, response, path) => {
      if (!path.includes('/blobs/') || path.endsWith(sha256(made.config))) return false
      const more = () => response.write(Buffer.alloc(1 << 20)) && setImmediate(more)
      response.on('drain', more)
      more()
      return true
    })
    const made = server.add('1')
    await expect(pull(server.host)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('more of') })
    await nothingVisible()
  })

  it.each([
    ['five megabytes of manifest', Buffer.alloc(5 << 20, 0x20), 'larger than'],
    ['a page of HTML', Buffer.from('<html>not a registry</html>'), 'not valid JSON'],
    [
      'thousands of layers',
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('x'), size: 1 },
          layers: Array(3000).fill({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256('x'), size: 1 }),
        }),
      ),
      'more than 500 layers',
    ],
    [
      'a chart',
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256('x'), size: 1 },
          layers: [],
        }),
      ),
      'not a container image',
    ],
  ])('%s is refused', async (_name, bytes, message) => {
    const server = await hostile(() => false)
    server.manifests.set('1', { bytes, type: 'application/vnd.oci.image.manifest.v1+json' })
    await expect(pull(server.host)).rejects.toThrow(message)
    await nothingVisible()
  })

  it('an index that points at itself, or at something else than it says, is refused', async () => {
    const server = await hostile(() => false)
    const made = server.add('real')
    const entry = {
      mediaType: 'application/vnd.oci.image.index.v1+json',
      digest: sha256('self'),
      size: 5,
      platform: { os: 'linux', architecture: (JSON.parse(made.config.toString()) as { architecture: string }).architecture },
    }
    const index = { bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] })), type: entry.mediaType }
    server.manifests.set('1', index)
    server.manifests.set(entry.digest, index)
    await expect(pull(server.host)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('it is refused') })
    await nothingVisible()
  })

  it('an index in an index in an index in an index is refused', async () => {
    const server = await hostile(() => false)
    const { document, config } = server.add('real')
    const platform = { os: 'linux', architecture: (JSON.parse(config.toString()) as { architecture: string }).architecture }
    let inner = { bytes: Buffer.from(JSON.stringify(document)), type: 'application/vnd.oci.image.manifest.v1+json' }
    for (let depth = 1; depth <= 4; depth++) {
      const entry = { mediaType: inner.type, digest: sha256(inner.bytes), size: inner.bytes.length, platform }
      server.manifests.set(entry.digest, inner)
      inner = {
        bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [entry] })),
        type: 'application/vnd.oci.image.index.v1+json',
      }
      server.manifests.set(`deep${depth}`, inner)
    }
    await pull(server.host, 'deep2')
    await rooms.images.remove(`${server.host}/x:deep2`, { force: true, prune: true })
    await expect(pull(server.host, 'deep4')).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('too deeply'),
    })
    await nothingVisible()
  })

  it('an upload that is to go to the cloud metadata network is refused', async () => {
    const server = await hostile((request, response) => {
      if (request.method === 'HEAD') return !!response.writeHead(404).end()
      return request.method === 'POST' && !!response.writeHead(202, { location: 'http://169.254.169.254/latest/' }).end()
    })
    server.add('1')
    await pull(server.host)
    await expect(rooms.images.push({ reference: `${server.host}/x:1` }, testContext())).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining("this machine's own link"),
    })
  })

  it('a configuration that names other layers is refused', async () => {
    const server = await hostile(() => false)
    const image = imageOf([layerOf(tarOf((d) => writeFileSync(join(d, 'a'), 'a')))])
    ;(image.config.rootfs as { diff_ids: string[] }).diff_ids = [sha256('another')]
    server.add('1', image)
    await expect(pull(server.host)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining('unpacks to') })
    await nothingVisible()
  })

  it('a layer that leads out is refused, and nothing outside is touched', async () => {
    const evil = execFileSync('python3', [
      '-c',
      "import tarfile,io,sys\nt=tarfile.open(fileobj=sys.stdout.buffer,mode='w|')\ni=tarfile.TarInfo('../../../../../../tmp/berth-escaped');i.size=1\nt.addfile(i,io.BytesIO(b'x'))\nt.close()",
    ])
    const server = await hostile(() => false)
    server.add('1', imageOf([layerOf(evil)]))
    await expect(pull(server.host)).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(() => statSync('/tmp/berth-escaped')).toThrow()
    await nothingVisible()
  })

  it('credentials do not follow a redirect to another origin', async () => {
    const elsewhere = await hostile(() => false)
    const server = await hostile((request, response, path) => {
      if (!request.headers.authorization) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
        return true
      }
      if (!path.includes('/blobs/')) return false
      response.writeHead(307, { location: `http://${elsewhere.host}${path}` }).end()
      return true
    })
    server.add('1')
    for (const [digest, blob] of server.blobs) elsewhere.blobs.set(digest, blob)
    await rooms.images.pull({ reference: `${server.host}/x:1`, auth }, testContext())
    expect(server.seen.some((request) => request.authorization === basic)).toBe(true)
    expect(elsewhere.seen.length).toBeGreaterThanOrEqual(2)
    expect(elsewhere.seen.filter((request) => request.authorization)).toEqual([])
  })

  it('redirect circles, realms that are no address, and endless 401s end with a sentence', async () => {
    const circle = await hostile((_request, response, path) => {
      if (!path.includes('/manifests/')) return false
      response.writeHead(302, { location: path }).end()
      return true
    })
    await expect(pull(circle.host)).rejects.toThrow('redirects in circles')
    const realm = await hostile(
      (_request, response) => !!response.writeHead(401, { 'www-authenticate': 'Bearer realm="gopher://x/y",service="z"' }).end(),
    )
    await expect(rooms.images.pull({ reference: `${realm.host}/x:1`, auth }, testContext())).rejects.toMatchObject({
      code: 'permission_denied',
    })
    const loop = await hostile((_request, response) => !!response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end())
    await expect(rooms.images.pull({ reference: `${loop.host}/x:1`, auth }, testContext())).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    expect(loop.seen.filter((request) => request.path.includes('/manifests/')).length).toBe(2)
  })

  it('a token server out in the cloud metadata network gets no question', async () => {
    const server = await hostile(
      (_request, response) =>
        !!response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://169.254.169.254/latest",service="z"' }).end(),
    )
    await expect(rooms.images.pull({ reference: `${server.host}/x:1`, auth }, testContext())).rejects.toThrow(
      'no credentials are sent there',
    )
  })

  it('a token server that never answers holds nobody who does not want to wait', async () => {
    const context = testContext()
    const server = await hostile((request, response, path) => {
      // Asked, it says nothing; that is the moment to give up.
      if (path.startsWith('/token')) return setImmediate(context.abort) !== undefined
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="z"` }).end()
      return true
    })
    await expect(rooms.images.pull({ reference: `${server.host}/x:1`, auth }, context)).rejects.toMatchObject({ code: 'cancelled' })
    expect(server.seen.some(({ path }) => path.startsWith('/token'))).toBe(true)
    await nothingVisible()
  })

  it('429 is waited for as Retry-After says, and a far one is reported', async () => {
    let busy = 2
    const server = await hostile((_request, response, path) => {
      if (!path.includes('/manifests/') || busy-- <= 0) return false
      response.writeHead(429, { 'retry-after': '0' }).end()
      return true
    })
    server.add('1')
    await pull(server.host)
    const closed = await hostile(
      (_request, response, path) =>
        path.includes('/manifests/') &&
        !!response
          .writeHead(429, { 'retry-after': '3600' })
          .end(JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'slow \u001b[31mdown' }] })),
    )
    await expect(pull(closed.host)).rejects.toMatchObject({
      code: 'resource_exhausted',
      message: expect.stringMatching(/^toomanyrequests: slow \[31mdown; try again in 3600 seconds/),
    })
  })

  it('five hundreds are tried again', async () => {
    let failures = 1
    const server = await hostile((_request, response, path) => {
      if (!path.includes('/manifests/') || failures-- <= 0) return false
      response.writeHead(503).end()
      return true
    })
    server.add('1')
    await pull(server.host)
  })
})
