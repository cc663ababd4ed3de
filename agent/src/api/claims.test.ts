import { generateKeyPairSync, sign } from 'node:crypto'
import type { Claim } from '@berth/contract/claim'
import { describe, expect, it } from 'vitest'
import { createClaimVerifier } from './claims.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
const now = 1_800_000_000
const claim: Claim = { host: 'h1', user: 'u1', userName: 'Ada', role: 'operator', expires: now + 30, from: '192.0.2.7' }
const signed = (value: unknown, key = privateKey) => {
  const payload = Buffer.from(JSON.stringify(value))
  return `${payload.toString('base64url')}.${sign(null, payload, key).toString('base64url')}`
}
const verifier = createClaimVerifier(pem, 'h1', () => now * 1000)

describe('createClaimVerifier', () => {
  it('knows who asks', () => {
    expect(verifier.verify(signed(claim))).toMatchObject({ user: 'u1', userName: 'Ada', role: 'operator', from: '192.0.2.7', via: 'claim' })
  })

  it.each([
    ['missing', undefined, 'is missing'],
    ['of the wrong shape', signed({ ...claim, role: 'god' }), 'wrong shape'],
    ['forged', signed(claim, generateKeyPairSync('ed25519').privateKey), 'not signed by the dashboard'],
    ['altered', signed(claim).replace(/^./, 'f'), 'not signed by the dashboard'],
    ['for another host', signed({ ...claim, host: 'h2' }), 'for another host'],
    ['expired', signed({ ...claim, expires: now - 31 }), 'has expired'],
    ['valid for too long', signed({ ...claim, expires: now + 3600 }), 'longer than 60 s'],
    ['garbage', 'a.b.c', 'is malformed'],
    ['too long', `${'a'.repeat(5000)}.b`, 'is malformed'],
  ])('refuses one that is %s', (_, text, reason) => {
    expect(() => verifier.verify(text)).toThrow(reason)
  })

  it('looks at the time again when it knows a claim already', () => {
    let time = now * 1000
    const clocked = createClaimVerifier(pem, 'h1', () => time)
    const text = signed(claim)
    clocked.verify(text)
    time += 61_000
    expect(() => clocked.verify(text)).toThrow('has expired')
  })
})
