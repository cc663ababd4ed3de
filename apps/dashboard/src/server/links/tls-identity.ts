import { X509Certificate } from 'node:crypto'
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls'
import { type Authority, keyFingerprintOf } from '../hosts/authority.ts'
import type { HostRecord } from '../hosts/hosts.ts'

/** The name that an agent's certificate carries and that is dialled, whatever its address. */
export function agentServerName(hostId: string): string {
  return `${hostId}.berth`
}

/**
 * How an agent is dialled: TLS 1.3, our client certificate, our authority alone, the name of this very host, and the key that was certified when it joined. A
 * certificate of another host, of another authority, an expired one, and a new key under an old name are all refused.
 */
export function tlsOptionsFor(
  host: Pick<HostRecord, 'id' | 'keyFingerprint'>,
  authority: Pick<Authority, 'certificate' | 'client'>,
): ConnectionOptions {
  const { certificate, key } = authority.client()
  return {
    ca: authority.certificate,
    cert: certificate,
    key,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    servername: agentServerName(host.id),
    checkServerIdentity: (name: string, peer: PeerCertificate) => {
      const wrongName = checkServerIdentity(name, peer)
      if (wrongName) return new Error('it presents the certificate of another host')
      if (keyFingerprintOf(new X509Certificate(peer.raw)) !== host.keyFingerprint)
        return new Error('it presents a key that is not the one it joined with')
      return undefined
    },
  }
}

/** Why dialling failed, for people. */
export function dialFailureInWords(error: unknown, address: string, port: number): string {
  const { code, message } = innermost(error)
  const place = `${address}:${port}`
  if (code === 'ECONNREFUSED') return `nothing listens at ${place}; is the agent running there?`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name ${address} has no address`
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `there is no way to ${address}`
  if (code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || /timed? ?out/i.test(message)) return `${place} does not answer`
  if (code === 'CERT_HAS_EXPIRED') return `the agent's certificate has expired; let the host join again`
  if (code === 'CERT_NOT_YET_VALID') return `the agent's certificate is not yet valid; are the clocks of both machines right?`
  if (code === 'SELF_SIGNED_CERT_IN_CHAIN' || code === 'DEPTH_ZERO_SELF_SIGNED_CERT' || code?.startsWith('UNABLE_TO_'))
    return `what answers at ${place} is not certified by this dashboard`
  if (code?.startsWith('ERR_SSL_')) return `the agent at ${place} refused this dashboard's certificate or is no agent (${code})`
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE') return `the connection to ${place} was cut`
  return `${place}: ${message}`
}

function innermost(error: unknown): { code: string | undefined; message: string } {
  let current = error as { cause?: unknown; code?: string; message?: string; errors?: unknown[] } | null | undefined
  for (let depth = 0; depth < 5 && current; depth += 1) {
    const inner = current.errors?.[0] ?? current.cause
    if (current.code && !inner) break
    if (!inner) break
    current = inner as typeof current
  }
  return { code: current?.code, message: current?.message ?? String(error) }
}
