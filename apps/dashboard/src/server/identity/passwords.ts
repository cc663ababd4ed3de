import crypto, { randomBytes, timingSafeEqual } from 'node:crypto'
import { ServerError } from '../errors.ts'

/** OWASP's scrypt parameters with 32 MiB: some 0.1 s of one core, off the event loop. */
const cost = { N: 2 ** 15, r: 8, p: 3 }
const keyLength = 32
const maximumMemory = 128 * cost.N * cost.r * 2
const leastLength = 10
const mostLength = 256
/** scrypt takes memory: so many at a time, whatever arrives. */
const mostAtOnce = 2
/** And so many wait their turn; more are told to come back. */
const mostWaiting = 50

let running = 0
const waiting: (() => void)[] = []

async function derive(password: string, salt: Buffer, parameters: typeof cost): Promise<Buffer> {
  if (waiting.length >= mostWaiting)
    throw new ServerError('resource_exhausted', 'too many people are signing in at this moment; try again in some seconds')
  if (running >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  running += 1
  try {
    return await new Promise((resolve, reject) => {
      crypto.scrypt(password.normalize('NFKC'), salt, keyLength, { ...parameters, maxmem: maximumMemory }, (error, key) =>
        error ? reject(error) : resolve(key),
      )
    })
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}

/** @returns `scrypt$N$r$p$salt$key` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Takes the same time whether the password is right or not. A hash of null (no such person) is compared with nothing, as slowly. */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const [kind, N, r, p, salt, key] = (hash ?? 'scrypt$$$$$').split('$') as [string, string, string, string, string, string]
  const known = hash !== null && kind === 'scrypt'
  const parameters = known ? { N: Number(N), r: Number(r), p: Number(p) } : cost
  const derived = await derive(password.slice(0, mostLength), known ? Buffer.from(salt, 'base64url') : Buffer.alloc(16), parameters)
  const wanted = known ? Buffer.from(key, 'base64url') : Buffer.alloc(keyLength)
  return wanted.length === derived.length && timingSafeEqual(wanted, derived) && known
}

/** The few that every guesser tries first; length does the rest (NIST SP 800-63B 5.1.1.2). */
const common =
  /^(password|passwort|passw0rd|1234567890|0123456789|12345678901?2?|qwertyuiop|qwerty123456|iloveyou12?3?|administrator|letmein1234?|berthberth|welcome1234?|changeme1234?)\d*$/i

/** @throws ServerError `invalid_argument` saying what is wrong with it */
export function requireUsablePassword(password: string, email: string): void {
  if (password.length < leastLength)
    throw new ServerError('invalid_argument', `the password is too short; use at least ${leastLength} characters`)
  if (password.length > mostLength)
    throw new ServerError('invalid_argument', `the password is too long; use at most ${mostLength} characters`)
  if (common.test(password) || new Set(password).size < 4)
    throw new ServerError('invalid_argument', 'the password is among the first that anybody would guess; use another')
  if (password.toLowerCase().includes((email.split('@')[0] ?? email).toLowerCase()) && password.length < leastLength + 6)
    throw new ServerError('invalid_argument', 'the password contains your name; use another')
}
