import type { IncomingMessage, ServerResponse } from 'node:http'
import { enrolAnswer, renewalRoutes } from '@berth/contract/enrol'
import { EngineError } from '../errors.ts'
import type { Caller } from './context.ts'
import { answerError, answerJson } from './http-answer.ts'
import { type Identity, writeIdentity } from './identity.ts'
import { requirePermission } from './policy.ts'

/**
 * The dashboard's renewal of this host's certificate (contract/enrol.ts): a CSR for the key that is here, then the new certificate. The key never leaves. True when the
 * request was one of the two.
 * @param replace reopens the port with the new certificate; called after the answer
 */
export function serveRenewal(
  dataRoot: string,
  identity: Identity,
  request: IncomingMessage,
  response: ServerResponse,
  identify: () => Caller,
  replace: (next: Identity) => Promise<void>,
): boolean {
  const route = `${request.method} ${request.url}`
  if (route !== renewalRoutes.csr && route !== renewalRoutes.certificate) return false
  const renew = async () => {
    // Not subject to the host's policy: keeping the link alive is not an action on the host.
    requirePermission({ ...identify(), via: 'local' }, 'admin', {
      readOnly: false,
      noExec: false,
      noHostConsole: true,
      noPrivileged: false,
      bindSources: null,
    })
    const { certificateRequest, requireMatchingCertificate } = await import('./certificate-request.ts')
    if (route === renewalRoutes.csr) {
      answerJson(response, 200, { csr: await certificateRequest(identity.key, identity.hostId) })
      return
    }
    const given = enrolAnswer.safeParse(JSON.parse(await textOf(request)))
    if (!given.success) throw new EngineError('invalid_argument', 'the renewed certificate has the wrong shape')
    if (given.data.hostId !== identity.hostId) throw new EngineError('permission_denied', 'the renewed certificate is for another host')
    requireMatchingCertificate(given.data.certificate, given.data.authority, identity.key)
    const next = { ...identity, certificate: given.data.certificate, authority: given.data.authority, claimKey: given.data.claimKey }
    await writeIdentity(dataRoot, next)
    response.once('finish', () => setImmediate(() => void replace(next)))
    answerJson(response, 200, {}, { connection: 'close' })
  }
  renew().catch((error) => answerError(response, error))
  return true
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > 65_536) throw new EngineError('invalid_argument', 'the document is too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
