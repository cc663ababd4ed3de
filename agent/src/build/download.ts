/** Files from elsewhere: ADD of a URL, a build context that is a URL, an archive to import. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { type IncomingMessage, get as plainGet } from 'node:http'
import { get as tlsGet } from 'node:https'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'

const maxRedirects = 10
/** Longest silence of a server, before its answer and within it. */
const silenceMs = 60_000

/**
 * GET, redirects followed within http and https. The answer's body is the caller's to read to its end or to destroy; one that was cut off ends with an error.
 * @param what begins the messages: `ADD failed`
 * @throws unavailable, invalid_argument
 */
export async function openUrl(url: string, what: string, signal: AbortSignal): Promise<IncomingMessage> {
  if (!URL.canParse(url)) throw new EngineError('invalid_argument', `${what}: Invalid URL: ${url.slice(0, 200)}`)
  let at = new URL(url)
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await answerOf(at, signal).catch((error) => {
      throw new EngineError('unavailable', `${what}: ${at.href}: ${(error as Error).message}`, { cause: error })
    })
    const location = response.headers.location
    const status = response.statusCode ?? 0
    if (status >= 300 && status < 400 && typeof location === 'string') {
      response.destroy()
      if (!URL.canParse(location, at.href)) throw new EngineError('unavailable', `${what}: ${url} leads to an invalid URL`)
      at = new URL(location, at)
      if (!/^https?:$/.test(at.protocol)) throw new EngineError('unavailable', `${what}: ${url} leads to ${at.protocol}`)
      continue
    }
    if (status >= 400) {
      response.destroy()
      throw new EngineError('unavailable', `${what}: failed to GET ${url} with status ${status}`)
    }
    return response
  }
  throw new EngineError('unavailable', `${what}: ${url} redirects more than ${maxRedirects} times`)
}

function answerOf(at: URL, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (at.protocol === 'https:' ? tlsGet : plainGet)(at, { signal, timeout: silenceMs, agent: false }, resolve)
    // The signal, and a connection that breaks, end the body too, as an error of the answer.
    request.on('error', reject)
    request.on('timeout', () => request.destroy(new Error(`${at.host} said nothing for ${silenceMs / 1000} s`)))
  })
}

/**
 * ADD of a URL into `directory`: the file's name is the URL's last part, its time what the server says, its mode 0600.
 * @throws unavailable, invalid_argument (also: not the content that `checksum` promises)
 */
export async function downloadFile(
  url: string,
  directory: string,
  { target, checksum }: { target: string; checksum: string },
  signal: AbortSignal,
): Promise<{ name: string; digest: string }> {
  const response = await openUrl(url, 'ADD failed', signal)
  const last = new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? ''
  if (last === '' && target.endsWith('/')) throw new EngineError('invalid_argument', `cannot determine filename for source ${url}`)
  const name = fileName(last) || 'download'
  const hash = createHash('sha256')
  const counted = new Transform({
    transform(chunk, _encoding, next) {
      hash.update(chunk)
      next(null, chunk)
    },
  })
  const file = join(directory, name)
  await pipeline(response, counted, createWriteStream(file, { mode: 0o600 }), { signal })
  const modified = Date.parse(String(response.headers['last-modified'] ?? ''))
  const seconds = Number.isNaN(modified) ? 0 : modified / 1000
  await utimes(file, seconds, seconds)
  const digest = hash.digest('hex')
  if (checksum && checksum !== `sha256:${digest}`)
    throw new EngineError('invalid_argument', `ADD failed: digest mismatch: ${url} is sha256:${digest}, expected ${checksum}`)
  return { name, digest }
}

/** One name in one directory, whatever the URL's escapes stand for. */
function fileName(part: string): string {
  let name = part
  try {
    name = decodeURIComponent(part)
  } catch {
    // Not an escape: the text is the name.
  }
  name = name.replaceAll(/[/\0]/g, '_').slice(0, 200)
  return name === '.' || name === '..' ? '' : name
}
