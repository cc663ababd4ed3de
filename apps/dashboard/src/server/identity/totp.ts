import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** RFC 6238 with what every authenticator app assumes: SHA-1, six digits, 30 seconds. */
const stepSeconds = 30
const digits = 6
/** One step before and after: clocks of telephones are a little off. */
const tolerance = 1
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** 160 random bits in base32 (RFC 4648). */
export function newTotpSecret(): string {
  return [...randomBytes(32)].map((byte) => alphabet[byte & 31]).join('')
}

/** The text of the QR code. */
export function totpUri(secret: string, account: string): string {
  const label = encodeURIComponent(`Berth:${account}`)
  return `otpauth://totp/${label}?secret=${secret}&issuer=Berth&algorithm=SHA1&digits=${digits}&period=${stepSeconds}`
}

export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const digest = createHmac('sha1', decodeBase32(secret)).update(counter).digest()
  const offset = (digest[digest.length - 1] as number) & 15
  const number = (digest.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits
  return String(number).padStart(digits, '0')
}

/**
 * @param lastStep the step that was accepted last: it and everything before are refused, so a code that was seen over a shoulder is worth nothing
 * @returns the step of the code, to be kept as the next lastStep, or null
 */
export function matchTotp(secret: string, code: string, lastStep: number, nowMs = Date.now()): number | null {
  const now = Math.floor(nowMs / 1000 / stepSeconds)
  const given = Buffer.from(
    code
      .replace(/\s/g, '')
      .padEnd(digits)
      .slice(0, digits + 1),
  )
  let found: number | null = null
  for (let step = now - tolerance; step <= now + tolerance; step += 1) {
    const wanted = Buffer.from(totpCode(secret, step))
    if (given.length === wanted.length && timingSafeEqual(given, wanted) && step > lastStep) found = step
  }
  return found
}

function decodeBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const letter of text) {
    value = ((value << 5) | alphabet.indexOf(letter)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((value >> bits) & 255)
    }
  }
  return Buffer.from(bytes)
}
