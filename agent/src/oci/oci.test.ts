import { describe, expect, it } from 'vitest'
import { chainIds, digestOf } from './digest.ts'
import { buildImageConfig, emptyImageConfig, parseImageConfig } from './image-config.ts'
import { buildManifest, chooseManifest, type Index, mediaTypes, parseManifest } from './manifest.ts'
import { choosePlatform, parsePlatform } from './platform.ts'
import { canonical, familiar, parseReference, parseTagged } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`
const json = (value: unknown) => Buffer.from(JSON.stringify(value))

describe('references', () => {
  it.each([
    ['redis', 'docker.io/library/redis:latest', 'redis:latest'],
    ['redis:7', 'docker.io/library/redis:7', 'redis:7'],
    ['team/app', 'docker.io/team/app:latest', 'team/app:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest', 'redis:latest'],
    ['index.docker.io/library/redis', 'docker.io/library/redis:latest', 'redis:latest'],
    ['registry-1.docker.io/library/redis:1', 'docker.io/library/redis:1', 'redis:1'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/a/b__c:v1.0', 'localhost:5000/a/b__c:v1.0', 'localhost:5000/a/b__c:v1.0'],
    ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest'],
    [`redis@${digest}`, `docker.io/library/redis@${digest}`, `redis@${digest}`],
    [`example.com/redis:7@${digest}`, `example.com/redis:7@${digest}`, `example.com/redis:7@${digest}`],
  ])('%s', (text, full, short) => {
    expect(canonical(parseTagged(text))).toBe(full)
    expect(familiar(parseTagged(text))).toBe(short)
  })

  it.each([
    '',
    'Redis',
    'a//b',
    '-a',
    'a:',
    'a:-x',
    'a@sha256:short',
    'a b',
    '../x',
    'a/../b',
    'x:5000/',
    'a'.repeat(300),
    'a\0',
    'f'.repeat(64),
    'a@b@c',
  ])('refuses "%s"', (text) => {
    expect(() => parseReference(text)).toThrow(/invalid/)
  })
})

describe('platforms', () => {
  it('reads and chooses', () => {
    expect(parsePlatform('linux/aarch64/v8')).toEqual({ os: 'linux', architecture: 'arm64' })
    expect(parsePlatform('amd64')).toEqual({ os: 'linux', architecture: 'amd64' })
    expect(() => parsePlatform('a/b/c/d')).toThrow('is not a platform')
    expect(parsePlatform('windows').os).toBe('windows')
    expect(() => parsePlatform('foobar')).toThrow('"foobar": unknown operating system or architecture')
    const arm = (variant?: string) => ({
      platform: { os: 'linux', architecture: 'arm', ...(variant ? { variant } : {}) },
      value: variant ?? 'none',
    })
    expect(choosePlatform([arm('v5'), arm('v6'), arm('v8')], { os: 'linux', architecture: 'arm', variant: 'v7' })).toBe('v6')
    expect(choosePlatform([arm('v6'), arm('v7')], { os: 'linux', architecture: 'arm', variant: 'v7' })).toBe('v7')
    expect(choosePlatform([arm('v8')], { os: 'linux', architecture: 'amd64' })).toBeNull()
  })
})

describe('manifests', () => {
  const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 }
  const layer = { mediaType: mediaTypes.ociLayerGzip, digest, size: 3 }

  it('reads what it writes', () => {
    const bytes = buildManifest(config, [layer])
    expect(parseManifest(bytes, mediaTypes.ociManifest, 'x')).toMatchObject({ kind: 'manifest', config, layers: [layer] })
  })

  it.each([
    ['not JSON', Buffer.from('{'), 'not valid JSON'],
    ['not an object', json([1]), 'not a JSON object'],
    ['schema 1', json({ schemaVersion: 1, fsLayers: [] }), 'schema 1'],
    ['both kinds', json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [], manifests: [] }), 'at once'],
    [
      'a foreign config',
      json({ schemaVersion: 2, config: { ...config, mediaType: 'application/vnd.cncf.helm' }, layers: [] }),
      'not a container image',
    ],
    ['a foreign layer', json({ schemaVersion: 2, config, layers: [{ ...layer, mediaType: 'text/plain' }] }), 'unknown media type'],
    ['a bad digest', json({ schemaVersion: 2, config: { ...config, digest: 'sha256:../../x' }, layers: [] }), 'digest'],
    ['a negative size', json({ schemaVersion: 2, config, layers: [{ ...layer, size: -1 }] }), 'malformed'],
    ['thousands of layers', json({ schemaVersion: 2, config, layers: Array(3000).fill(layer) }), 'more than 500 layers'],
    ['five megabytes', Buffer.alloc(5 * 1024 * 1024, 32), 'larger than'],
    ['html', Buffer.from('<html>'), 'not valid JSON'],
  ])('refuses %s', (_name, bytes, message) => {
    expect(() => parseManifest(bytes, '', 'x')).toThrow(message)
  })

  it('chooses from an index and names what there is', () => {
    const entry = (os: string, architecture: string) => ({
      mediaType: mediaTypes.ociManifest,
      digest,
      size: 1,
      platform: { os, architecture },
    })
    const index = parseManifest(
      json({ schemaVersion: 2, manifests: [entry('unknown', 'unknown'), entry('linux', 'amd64')] }),
      mediaTypes.ociIndex,
      'x',
    ) as Index
    expect(chooseManifest(index, { os: 'linux', architecture: 'amd64' }, 'x').platform?.architecture).toBe('amd64')
    expect(() => chooseManifest(index, { os: 'linux', architecture: 's390x' }, 'x')).toThrow('it has linux/amd64')
  })
})

describe('image configurations', () => {
  it('survives a round trip', () => {
    const image = {
      createdAt: '2026-01-01T00:00:00Z',
      author: 'ann',
      comment: 'c',
      platform: { os: 'linux', architecture: 'amd64' },
      config: {
        ...emptyImageConfig(),
        user: '1:2',
        env: ['A=b'],
        cmd: ['sh'],
        exposedPorts: ['80/tcp'],
        volumes: ['/data'],
        labels: { a: 'b' },
        stopSignal: 'SIGQUIT',
        healthcheck: { test: ['CMD', 'true'], intervalMs: 1000, retries: 2 },
      },
      diffIds: [digest],
      history: [{ createdAt: null, createdBy: 'RUN x', author: '', comment: '', emptyLayer: true }],
    }
    expect(parseImageConfig(buildImageConfig(image), 'x')).toEqual(image)
  })

  it('takes nulls and unknown fields as Go writes them', () => {
    const read = parseImageConfig(
      json({ os: 'linux', architecture: 'amd64', config: { Env: null, Cmd: null, Future: 1 }, rootfs: { type: 'layers', diff_ids: null } }),
      'x',
    )
    expect(read.config).toEqual(emptyImageConfig())
  })

  it.each([
    ['a NUL in the environment', { Env: ['A=\0'] }],
    ['a number for a list', { Cmd: 7 }],
    ['a huge list', { Env: Array(20000).fill('a=b') }],
    ['a negative interval', { Healthcheck: { Interval: -5 } }],
  ])('refuses %s', (_name, config) => {
    expect(() => parseImageConfig(json({ os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } }), 'x')).toThrow('malformed')
  })
})

it('computes chain ids as the specification does', () => {
  const [a, b] = [digestOf('a'), digestOf('b')]
  expect(chainIds([a, b])).toEqual([a, digestOf(`${a} ${b}`)])
})
