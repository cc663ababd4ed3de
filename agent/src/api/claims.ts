import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Claim, claim } from '@berth/contract/claim'
import { EngineError } from '../errors.ts'
import type { Caller } from './context.ts'

/** A claim may look this far ahead; more means that the dashboard's clock, or its code, is wrong. */
const longestLifeSeconds = 60
/** Clocks of two machines are never the same. */
const skewSeconds = 30
const remembered = 64

export interface ClaimVerifier {
  /** @throws permission_denied: missing, forged, for another host, expired */
  verify(text: unknown): Caller
}

/**
 * Checks the signed claims of one dashboard (contract/claim.ts).
 * @param claimKeyPem Ed25519 public key pinned at enrolment
 * @param hostId what `claim.host` must be
 */
export function createClaimVerifier(claimKeyPem: string, hostId: string, now: () => number = Date.now): ClaimVerifier {
  const key: KeyObject = createPublicKey(claimKeyPem)
  if (key.asymmetricKeyType !== 'ed25519')
    throw new EngineError('data_loss', `the pinned claim key is ${key.asymmetricKeyType}, not Ed25519; join the dashboard again`)
  // One claim signs many keystrokes: the last few that were good are known by their text.
  const good = new Map<string, Claim>()
  const refuse = (reason: string) => new EngineError('permission_denied', `the request's claim ${reason}`)

  function parse(text: string): Claim {
    const known = good.get(text)
    if (known) return known
    const [payload, signature, extra] = text.split('.')
    if (!payload || !signature || extra !== undefined || text.length > 4096) throw refuse('is malformed')
    const bytes = Buffer.from(payload, 'base64url')
    if (!verify(null, bytes, key, Buffer.from(signature, 'base64url'))) throw refuse('is not signed by the dashboard of this host')
    const parsed = claim.safeParse(safeJson(bytes.toString('utf8')))
    if (!parsed.success) throw refuse('has the wrong shape')
    if (parsed.data.host !== hostId) throw refuse('is for another host')
    good.set(text, parsed.data)
    if (good.size > remembered) good.delete(good.keys().next().value as string)
    return parsed.data
  }

  return {
    verify(text) {
      if (typeof text !== 'string' || text === '') throw refuse('is missing')
      const { user, userName, role, from, expires } = parse(text)
      const seconds = now() / 1000
      if (expires + skewSeconds < seconds) throw refuse('has expired; ask again')
      if (expires > seconds + longestLifeSeconds + skewSeconds)
        throw refuse(`is valid for longer than ${longestLifeSeconds} s; are both clocks right?`)
      return { user, userName, role, from, via: 'claim', expires: expires + skewSeconds }
    },
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
