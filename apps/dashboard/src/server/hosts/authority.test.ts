import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Data, openData } from '../data/database.ts'
import { isDue, openAuthority } from './authority.ts'
import { makeRequest } from './certificate-request.fixture.ts'

// Key derivation, certificates and synced writes on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const migrations = join(import.meta.dirname, '../../../../../prisma/sqlite/migrations')
let folder: string
let data: Data

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-authority-'))
  data = await openData(folder, migrations)
})
afterEach(async () => {
  await data.close()
  rmSync(folder, { recursive: true, force: true })
})

it('is the same authority after a restart', async () => {
  const first = await openAuthority(data)
  const second = await openAuthority(data)
  expect(second.fingerprint).toBe(first.fingerprint)
  expect(second.claimKey).toBe(first.claimKey)
  expect(second.client().certificate).toBe(first.client().certificate)
  expect(first.fingerprint).toBe(`sha256:${new X509Certificate(first.certificate).fingerprint256.replaceAll(':', '').toLowerCase()}`)
})

it('certifies the key of a request for its host and for serving alone', async () => {
  const authority = await openAuthority(data)
  const { csr, publicKeySpki } = await makeRequest('some-host')
  const made = await authority.certifyAgent(csr, 'h1')
  const certificate = new X509Certificate(made.certificate)
  expect(certificate.verify(createPublicKey(authority.certificate))).toBe(true)
  expect(certificate.checkHost('h1.berth')).toBe('h1.berth')
  expect(certificate.checkHost('h2.berth')).toBeUndefined()
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  expect(certificate.ca).toBe(false)
  expect(certificate.publicKey.export({ type: 'spki', format: 'der' }).equals(publicKeySpki)).toBe(true)
  expect(certificate.subject).toBe('CN=h1')
  expect(isDue(made.certificate)).toBe(false)
  expect(isDue(made.certificate, made.end.getTime() - 86_400_000)).toBe(true)
})

it('presents to agents a certificate that is for clients alone', async () => {
  const authority = await openAuthority(data)
  expect(new X509Certificate(authority.client().certificate).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(new X509Certificate(authority.https().certificate).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
})

it.each(['', 'nonsense', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'])(
  'refuses %j as a request',
  async (csr) => {
    const authority = await openAuthority(data)
    await expect(authority.certifyAgent(csr, 'h1')).rejects.toMatchObject({ code: 'invalid_argument' })
  },
)

it('refuses a request whose signature was changed', async () => {
  const authority = await openAuthority(data)
  const { csr } = await makeRequest('x')
  const bytes = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
  await expect(authority.certifyAgent(forged, 'h1')).rejects.toMatchObject({ code: 'invalid_argument' })
})

it('signs claims that the public key verifies', async () => {
  const authority = await openAuthority(data)
  const text = authority.signClaim({ host: 'h1', user: 'u', userName: 'U', role: 'viewer', expires: 1, from: 'here' })
  const [body, signature] = text.split('.') as [string, string]
  expect(verify(null, Buffer.from(body, 'base64url'), authority.claimKey, Buffer.from(signature, 'base64url'))).toBe(true)
  expect(JSON.parse(Buffer.from(body, 'base64url').toString())).toMatchObject({ host: 'h1', role: 'viewer' })
})
