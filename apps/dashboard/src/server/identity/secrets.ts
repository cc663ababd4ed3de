import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits as text that can be copied, with a prefix that tells what it is (and lets scanners of leaked secrets find it). */
export function newSecret(prefix: string): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`
}

/** How a random secret is stored. A fast hash is enough: 256 random bits cannot be guessed. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Eighty random bits in four groups that can be typed: the database holds a fast hash, so they must not be guessable from it either. */
export function newRecoveryCode(): string {
  const letters = [...randomBytes(16)].map((byte) => 'abcdefghijkmnpqrstuvwxyz23456789'[byte & 31]).join('')
  return letters.replace(/(.{4})(?=.)/g, '$1-')
}

/** Sixteen hexadecimal digits: ids of records, that are no secrets. */
export function newId(): string {
  return randomBytes(8).toString('hex')
}
