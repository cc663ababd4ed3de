/**
 * Images for tests, made on this machine: busybox from Debian's busybox-static, and bigger ones out of chosen files. They are pushed to a test registry with
 * plain HTTP calls, so that no engine is needed to make them.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** Layers that are costly to make are kept here between runs. */
export const imageCache = '/var/cache/berth-test'

export interface TestLayer {
  /** As it travels. */
  blob: Buffer
  diffId: string
  mediaType: string
}

export interface TestImage {
  layers: TestLayer[]
  config: Record<string, unknown>
}

export const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const goArchitecture = { x64: 'amd64', arm64: 'arm64' }[arch() as string] ?? arch()

/** A layer from an uncompressed archive. */
export function layerOf(tar: Buffer, compression: 'gzip' | 'zstd' | 'none' = 'gzip'): TestLayer {
  const type = 'application/vnd.oci.image.layer.v1.tar'
  const diffId = sha256(tar)
  if (compression === 'none') return { blob: tar, diffId, mediaType: type }
  if (compression === 'zstd')
    return { blob: execFileSync('zstd', ['-q', '-1', '-c'], { input: tar, maxBuffer: 1 << 30 }), diffId, mediaType: `${type}+zstd` }
  return { blob: gzipSync(tar, { level: 1 }), diffId, mediaType: `${type}+gzip` }
}

/** An archive of a directory that `fill` writes into. Owners are root, times fixed: the same files give the same digest. */
export function tarOf(fill: (directory: string) => void): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'berth-layer-'))
  try {
    // The root of an image is for everybody.
    chmodSync(directory, 0o755)
    fill(directory)
    const args = ['--sort=name', '--mtime=@1700000000', '--owner=0', '--group=0', '--numeric-owner', '-C', directory, '-cf', '-', '.']
    return execFileSync('tar', args, { maxBuffer: 1 << 30 })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** An archive of one small file, without starting tar: for tests that need hundreds. */
export function tinyTar(name: string, text: string): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124)
  header.write('14524550400\0', 136)
  header.write('        0', 148)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512)
  body.write(text)
  return Buffer.concat([header, body, Buffer.alloc(1024)])
}

export function imageOf(layers: TestLayer[], run: Record<string, unknown> = {}): TestImage {
  return {
    layers,
    config: {
      created: '2026-01-01T00:00:00Z',
      architecture: goArchitecture,
      os: 'linux',
      config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'], ...run },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
      history: layers.map((_, at) => ({ created: '2026-01-01T00:00:00Z', created_by: `layer ${at}` })),
    },
  }
}

let busybox: TestLayer | null = null
/** Root file system with busybox (static) and a link for each of its applets, /etc/passwd and group, and the usual directories. About 2 MB. */
export function busyboxLayer(): TestLayer {
  busybox ??= layerOf(
    tarOf((directory) => {
      for (const name of ['bin', 'etc', 'tmp', 'root', 'home', 'dev', 'proc', 'sys', 'var', 'usr/bin', 'usr/sbin', 'sbin', 'run'])
        mkdirSync(join(directory, name), { recursive: true })
      execFileSync('cp', ['/usr/bin/busybox', join(directory, 'bin', 'busybox')])
      execFileSync('chmod', ['1777', join(directory, 'tmp')])
      const applets = execFileSync('/usr/bin/busybox', ['--list'], { encoding: 'utf8' })
        .split('\n')
        .filter((name) => name && name !== 'busybox')
      for (const applet of applets) symlinkSync('busybox', join(directory, 'bin', applet))
      writeFileSync(
        join(directory, 'etc', 'passwd'),
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
      )
      writeFileSync(join(directory, 'etc', 'group'), 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nnogroup:x:65534:\n')
    }),
  )
  return busybox
}

export function busyboxImage(run: Record<string, unknown> = {}): TestImage {
  return imageOf([busyboxLayer()], run)
}

/**
 * A Debian root file system with packages (`nginx-light`, `redis-server`), made once by debootstrap and kept in imageCache. Needs the Debian mirror the first
 * time (about a minute).
 */
export function debianLayer(packages: string[], suite = 'bookworm'): TestLayer {
  const file = join(imageCache, `debian-${suite}-${sha256(packages.join(' ')).slice(7, 19)}.tar`)
  if (!existsSync(file)) {
    mkdirSync(imageCache, { recursive: true })
    const directory = mkdtempSync(join(imageCache, 'debootstrap-'))
    // The root of an image is for everybody.
    chmodSync(directory, 0o755)
    try {
      const include = packages.length ? [`--include=${packages.join(',')}`] : []
      execFileSync('debootstrap', ['--variant=minbase', ...include, suite, directory], { stdio: ['ignore', 'ignore', 'inherit'] })
      for (const waste of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'])
        rmSync(join(directory, waste), { recursive: true, force: true })
      execFileSync('tar', ['--sort=name', '--numeric-owner', '-C', directory, '-cf', `${file}.new`, '--exclude=./dev/*', '.'])
      renameSync(`${file}.new`, file)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  return layerOf(readFileSync(file))
}

/** Puts an image into a registry. @returns digest of its manifest and the image's id */
export async function pushTestImage(
  url: string,
  repository: string,
  tag: string,
  image: TestImage,
  options: { headers?: Record<string, string>; docker?: boolean } = {},
): Promise<{ manifestDigest: string; id: string; manifest: Buffer }> {
  const config = Buffer.from(JSON.stringify(image.config))
  for (const layer of image.layers) await putBlob(url, repository, layer.blob, options.headers)
  await putBlob(url, repository, config, options.headers)
  const docker = options.docker ?? false
  const type = docker ? 'application/vnd.docker.distribution.manifest.v2+json' : 'application/vnd.oci.image.manifest.v1+json'
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: docker ? 'application/vnd.docker.container.image.v1+json' : 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: image.layers.map(({ blob, mediaType }) => ({
        mediaType: docker ? 'application/vnd.docker.image.rootfs.diff.tar.gzip' : mediaType,
        digest: sha256(blob),
        size: blob.length,
      })),
    }),
  )
  await putManifest(url, repository, tag, manifest, type, options.headers)
  return { manifestDigest: sha256(manifest), id: sha256(config), manifest }
}

export async function putBlob(url: string, repository: string, blob: Buffer, headers: Record<string, string> = {}): Promise<void> {
  const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers })
  if (begun.status !== 202) throw new Error(`the registry refuses an upload: ${begun.status} ${await begun.text()}`)
  const target = new URL(begun.headers.get('location') as string, url)
  target.searchParams.set('digest', sha256(blob))
  const put = await fetch(target, {
    method: 'PUT',
    body: new Uint8Array(blob),
    headers: { ...headers, 'content-type': 'application/octet-stream' },
  })
  if (put.status !== 201) throw new Error(`the registry refuses a blob: ${put.status} ${await put.text()}`)
}

export async function putManifest(
  url: string,
  repository: string,
  tag: string,
  manifest: Buffer,
  type: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const put = await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    body: new Uint8Array(manifest),
    headers: { ...headers, 'content-type': type },
  })
  if (put.status !== 201) throw new Error(`the registry refuses a manifest: ${put.status} ${await put.text()}`)
}
