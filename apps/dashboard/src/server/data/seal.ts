import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { ServerError } from '../errors.ts'

/** Encrypts what must not be read from the database alone. */
export interface Seal {
  /** @param context what it is and whose; opening with another context fails, so a sealed value cannot be moved to another row */
  seal(plain: string, context: string): string
  /** @throws ServerError `data_loss` when it was sealed with another key or context, or was changed */
  open(sealed: string, context: string): string
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM with a random nonce; `v1.` + base64url(nonce, tag, ciphertext). */
export function createSeal(key: Buffer): Seal {
  if (key.length !== keyBytes) throw new ServerError('data_loss', `the master key has ${key.length} bytes instead of ${keyBytes}`)
  return {
    seal: (plain, context) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`
    },
    open: (sealed, context) => {
      const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url')
      if (!sealed.startsWith('v1.') || bytes.length < nonceBytes + tagBytes)
        throw new ServerError('data_loss', `the sealed ${context} is not in a known form`)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new ServerError(
          'data_loss',
          `the ${context} cannot be opened: the master key is not the one it was sealed with; restore the key file that belongs to this database`,
          {
            cause,
          },
        )
      }
    },
  }
}

/**
 * The key file's bytes; made (0600, synced) when it is missing and `mayCreate`. It lies outside the database so that a copy of the database alone gives no secret.
 * @throws ServerError `data_loss` when it is missing although a database is there, or has the wrong length
 */
export function readOrCreateMasterKey(path: string, mayCreate: boolean): Buffer {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
    if (key.length !== keyBytes)
      throw new ServerError('data_loss', `${path} does not hold a key of ${keyBytes} bytes; restore it from a backup`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  if (!mayCreate)
    throw new ServerError(
      'data_loss',
      `the master key ${path} is missing but the database exists; restore the key from a backup, its secrets cannot be read without it`,
    )
  const key = randomBytes(keyBytes)
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    writeSync(descriptor, `${key.toString('base64')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return key
}
