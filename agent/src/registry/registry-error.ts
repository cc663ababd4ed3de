import { EngineError, messageOf } from '../errors.ts'
import type { Answer } from './http.ts'
import { paced } from './paced.ts'

const transientCodes = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
])

function codeOf(error: unknown): string {
  const own = (error as { code?: unknown } | null)?.code
  if (typeof own === 'string') return own
  const cause = (error as { cause?: unknown } | null)?.cause
  return cause ? codeOf(cause) : ''
}

/** Whether trying again may help. */
export function isTransient(error: unknown): boolean {
  return transientCodes.has(codeOf(error))
}

/** Whether a server spoke plain HTTP to a TLS greeting, or nobody listens for TLS. */
export function mayBePlainHttp(error: unknown): boolean {
  const code = codeOf((error as { cause?: unknown } | null)?.cause ?? error)
  return code.startsWith('ERR_SSL') || ['EPROTO', 'ECONNRESET', 'ECONNREFUSED', 'UND_ERR_SOCKET'].includes(code)
}

/** A failed connection as a sentence. */
export function connectionError(error: unknown, host: string): EngineError {
  const code = codeOf(error)
  const reason = messageOf(error).slice(0, 300)
  const say = (text: string) => new EngineError('unavailable', text, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return say(`cannot reach registry ${host}: no such host; check the name and the machine's DNS`)
  if (code === 'ECONNREFUSED') return say(`cannot reach registry ${host}: connection refused; check that it runs and the port`)
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return say(`registry ${host} does not answer in time; try again`)
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ISSUER|ALTNAME/.test(code)) {
    return say(
      `the certificate of registry ${host} is not trusted (${reason}); install its authority on this machine or list the host in BERTH_INSECURE_REGISTRIES`,
    )
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return say(`registry ${host} does not speak HTTPS; if it is meant to be plain HTTP, list it in BERTH_INSECURE_REGISTRIES`)
  }
  return say(`the connection to registry ${host} failed: ${reason}`)
}

/** The registry's own words (distribution-spec error body), one line without control and direction marks, at most 500 characters; '' without any. */
export async function wordsOf(answer: Answer): Promise<string> {
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of paced(answer.body, answer.url.host)) {
      size += chunk.length
      if (size > 64 * 1024) break
      chunks.push(chunk)
    }
    const text = Buffer.concat(chunks).toString('utf8')
    return printable(fromJson(text) ?? (text.startsWith('<') ? '' : text))
  } catch {
    return ''
  }
}

function fromJson(text: string): string | null {
  try {
    const body = JSON.parse(text) as {
      errors?: { code?: unknown; message?: unknown }[]
      details?: unknown
      message?: unknown
      error?: unknown
    }
    const first = Array.isArray(body.errors) ? body.errors[0] : undefined
    if (first) {
      const code = String(first.code ?? '')
        .toLowerCase()
        .replaceAll('_', ' ')
      return first.message ? `${code ? `${code}: ` : ''}${String(first.message)}` : code
    }
    const plain = body.message ?? body.details ?? body.error
    return typeof plain === 'string' ? plain : ''
  } catch {
    return null
  }
}

function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 500)
}

/** An unwelcome answer as an EngineError; `doing` continues the sentence ("pulling redis:7"). */
export async function answerError(answer: Answer, subject: { doing: string; name: string; reference?: string }): Promise<EngineError> {
  const words = await wordsOf(answer)
  const { doing, name, reference } = subject
  if (answer.status === 404 && reference)
    return new EngineError('not_found', `manifest for ${reference} not found: ${words || 'manifest unknown: manifest unknown'}`)
  if (answer.status === 404)
    return new EngineError('not_found', `${doing}: ${answer.url.host} does not have it${words ? ` (${words})` : ''}`)
  if (answer.status === 401)
    return new EngineError('unauthenticated', `${doing}: ${words || 'unauthorized: authentication required'}; log in to ${answer.url.host}`)
  if (answer.status === 403)
    return new EngineError('permission_denied', `${doing}: ${words || `denied: requested access to ${name} is denied`}`)
  if (answer.status === 405)
    return new EngineError('failed_precondition', `${doing}: ${answer.url.host} does not allow it${words ? ` (${words})` : ''}`)
  if (answer.status === 400 || answer.status === 413 || answer.status === 416)
    return new EngineError(
      'invalid_argument',
      `${doing}: ${answer.url.host} refuses it with status ${answer.status}${words ? `: ${words}` : ''}`,
    )
  return new EngineError('unavailable', `${doing}: unexpected status ${answer.status} from ${answer.url.host}${words ? `: ${words}` : ''}`)
}
