/**
 * Stored registry credentials: one file, mode 0600, each secret sealed with AES-256-GCM under a key in a file of its own (0600 too). That keeps secrets
 * out of backups and screens that show the one file without the other; whoever is root on the machine can read both.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegistryAuth } from '@berth/contract/registry'
import * as z from 'zod'
import { ensureDirectory, isMissing, readTextIfExists, removeTemporary, writeFileAtomic } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import type { Logger } from '../log.ts'

const storedEntry = z.object({
  server: z.string(),
  username: z.string(),
  /** base64 of nonce (12), tag (16), ciphertext of `{password, identityToken}`. */
  sealed: z.string(),
  storedAt: z.string(),
})
type StoredEntry = z.infer<typeof storedEntry>
const secretSchema = z.object({ password: z.string(), identityToken: z.string().optional() })

export interface CredentialStore {
  list(): { server: string; username: string; storedAt: string }[]
  get(server: string): RegistryAuth | null
  put(server: string, auth: RegistryAuth): Promise<void>
  remove(server: string): Promise<boolean>
}

export async function openCredentials(options: { dataRoot: string; log?: Logger }): Promise<CredentialStore> {
  const directory = join(options.dataRoot, 'registries')
  const path = join(directory, 'credentials.json')
  await ensureDirectory(directory)
  await removeTemporary(directory)
  const key = await loadKey(join(directory, 'key'))
  const entries = new Map<string, StoredEntry>()
  const text = await readTextIfExists(path)
  if (text !== null) {
    await chmod(path, 0o600)
    const parsed = z.array(storedEntry).safeParse(parseJson(text))
    if (!parsed.success) throw new EngineError('data_loss', `${path} cannot be read; remove it and log in to the registries again`)
    for (const entry of parsed.data) entries.set(entry.server, entry)
  }
  let writing: Promise<unknown> = Promise.resolve()
  const save = (change: () => void) => {
    const next = writing.then(() => {
      change()
      return writeFileAtomic(path, `${JSON.stringify([...entries.values()], null, 1)}\n`, { mode: 0o600 })
    })
    writing = next.catch(() => {})
    return next
  }
  return {
    list: () => [...entries.values()].map(({ server, username, storedAt }) => ({ server, username, storedAt })),
    get(server) {
      const entry = entries.get(server)
      if (!entry) return null
      try {
        return { username: entry.username, ...secretSchema.parse(JSON.parse(open(key, entry))) }
      } catch {
        options.log?.error({ server }, 'stored credentials cannot be decrypted (the key file changed); log in again')
        return null
      }
    },
    put: (server, { username, password, identityToken }) => {
      const secret = JSON.stringify({ password, ...(identityToken ? { identityToken } : {}) })
      return save(() =>
        entries.set(server, { server, username, sealed: seal(key, server, username, secret), storedAt: new Date().toISOString() }),
      )
    },
    async remove(server) {
      const known = entries.has(server)
      if (known) await save(() => entries.delete(server))
      return known
    },
  }
}

async function loadKey(path: string): Promise<Buffer> {
  try {
    const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64')
    await chmod(path, 0o600)
    if (key.length === 32) return key
    throw new EngineError('data_loss', `${path} is not a key; remove it together with credentials.json and log in again`)
  } catch (error) {
    if (!isMissing(error)) throw error
    const key = randomBytes(32)
    await writeFileAtomic(path, `${key.toString('base64')}\n`, { mode: 0o600 })
    return key
  }
}

/** Server and user are authenticated too: a sealed secret moved to another line does not open. */
function seal(key: Buffer, server: string, username: string, secret: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(JSON.stringify([server, username])))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')
}

function open(key: Buffer, { server, username, sealed }: StoredEntry): string {
  const bytes = Buffer.from(sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(JSON.stringify([server, username]))).setAuthTag(bytes.subarray(12, 28))
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
