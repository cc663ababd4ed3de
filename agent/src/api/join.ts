import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { hostname } from 'node:os'
import { enrolAnswer, enrolRefusal, fingerprintPattern } from '@berth/contract/enrol'
import type { AgentConfig } from '../config.ts'
import { EngineError } from '../errors.ts'
import { certificateRequest, newKey, requireMatchingCertificate } from './certificate-request.ts'
import { fingerprintOf, type Identity, writeIdentity } from './identity.ts'

/**
 * `berth-agent join`: makes a key, sends a request with the one-time token, checks the answer against the fingerprint, writes the identity. Nothing is written on failure.
 * @throws EngineError whose message is for the person at the terminal
 */
export async function join(
  config: AgentConfig,
  input: { url: string; token: string; fingerprint: string; address?: string; engineId: string; agentVersion: string },
): Promise<Identity> {
  if (!fingerprintPattern.test(input.fingerprint))
    throw new EngineError('invalid_argument', '--fingerprint must be the 64 hexadecimal digits that the dashboard showed')
  const wanted = `sha256:${input.fingerprint
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase()}`
  const key = newKey()
  const body = JSON.stringify({
    token: input.token,
    csr: await certificateRequest(key, hostname()),
    hostname: hostname(),
    port: config.port,
    address: input.address,
    engineId: input.engineId,
    agentVersion: input.agentVersion,
  })
  const { status, text } = await post(new URL(`${input.url.replace(/\/+$/, '')}/api/enrol`), body)
  if (status !== 200) throw new EngineError('permission_denied', `the dashboard refused: ${refusalOf(status, text)}`)
  const answer = enrolAnswer.safeParse(jsonOf(text))
  if (!answer.success)
    throw new EngineError('unavailable', `${input.url} answered something that is no dashboard's enrolment; check the address`)
  const { certificate, authority, claimKey, hostId } = answer.data
  const found = fingerprintOf(authority)
  if (found !== wanted)
    throw new EngineError(
      'permission_denied',
      `the answer came from an authority with the fingerprint ${found}, not ${wanted}: somebody is between this host and the dashboard, or the command is of another dashboard. The token may be known to others now; revoke it`,
    )
  requireMatchingCertificate(certificate, authority, key)
  const identity = { key, certificate, authority, claimKey, hostId }
  await writeIdentity(config.dataRoot, identity)
  return identity
}

/** The server's certificate is not checked here on purpose: see contract/enrol.ts. */
function post(url: URL, body: string): Promise<{ status: number; text: string }> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new EngineError('invalid_argument', `"${url.protocol}" is neither http nor https`)
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        new EngineError(
          'unavailable',
          `cannot reach ${url.origin}: ${error.message}; does the dashboard run there, and may this host connect to it?`,
          {
            cause: error,
          },
        ),
      )
    const request = send(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        rejectUnauthorized: false,
        timeout: 30_000,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
          if (text.length > 131_072) request.destroy(new Error('the answer is too long'))
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', fail)
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')))
    request.on('error', fail)
    request.end(body)
  })
}

function refusalOf(status: number, text: string): string {
  const refusal = enrolRefusal.safeParse(jsonOf(text))
  return refusal.success ? refusal.data.message.replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ') : `HTTP status ${status}`
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
