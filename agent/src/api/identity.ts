import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'

/** What a host that has joined a dashboard holds, all PEM but the id. */
export interface Identity {
  key: string
  certificate: string
  authority: string
  claimKey: string
  hostId: string
}

const files = {
  key: 'agent.key',
  certificate: 'agent.crt',
  authority: 'authority.crt',
  claimKey: 'claim-key.pub',
  hostId: 'host-id',
} as const

/** Directory `identity/` under the data root. */
export function identityDirectory(dataRoot: string): string {
  return join(dataRoot, 'identity')
}

/** Null when the host has joined no dashboard. @throws data_loss when only a part is there */
export function readIdentity(dataRoot: string): Identity | null {
  const directory = identityDirectory(dataRoot)
  const found: Partial<Identity> = {}
  const missing: string[] = []
  for (const [name, file] of Object.entries(files) as [keyof Identity, string][]) {
    try {
      found[name] = readFileSync(join(directory, file), 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      missing.push(file)
    }
  }
  // The id is written last: without it a join was interrupted and nothing else counts.
  if (missing.includes(files.hostId)) return null
  if (missing.length)
    throw new EngineError('data_loss', `${directory} lacks ${missing.join(' and ')}; join the dashboard again with berth-agent join`)
  return found as Identity
}

/** Replaces the identity, each file by write, fsync, rename, the id last. */
export async function writeIdentity(dataRoot: string, identity: Identity): Promise<void> {
  const directory = identityDirectory(dataRoot)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const [name, file] of Object.entries(files) as [keyof Identity, string][])
    await writeDurably(join(directory, file), `${identity[name]}\n`)
  const handle = await open(directory, 'r')
  await handle.sync()
  await handle.close()
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.new`, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.new`, path)
}

/** `sha256:` + lower-case hex over the certificate's DER. */
export function fingerprintOf(certificatePem: string): string {
  return `sha256:${new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase()}`
}
