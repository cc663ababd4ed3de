/** Files from elsewhere: ADD of a URL, and a build context that is a URL. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Dispatcher, request } from 'undici'
import { EngineError } from '../errors.ts'

const maxRedirects = 10

/** GET, redirects followed within http and https. @param what begins the messages: `ADD failed` @throws unavailable, invalid_argument */
export async function openUrl(url: string, what: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  if (!URL.canParse(url)) throw new EngineError('invalid_argument', `${what}: Invalid URL: ${url.slice(0, 200)}`)
  let at = new URL(url)
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await request(at, { signal }).catch((error) => {
      throw new EngineError('unavailable', `${what}: ${at.href}: ${(error as Error).message}`, { cause: error })
    })
    const location = response.headers.location
    if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
      await response.body.dump()
      if (!URL.canParse(location, at.href)) throw new EngineError('unavailable', `${what}: ${url} leads to an invalid URL`)
      at = new URL(location, at)
      if (!/^https?:$/.test(at.protocol)) throw new EngineError('unavailable', `${what}: ${url} leads to ${at.protocol}`)
      continue
    }
    if (response.statusCode >= 400) {
      await response.body.dump()
      throw new EngineError('unavailable', `${what}: failed to GET ${url} with status ${response.statusCode}`)
    }
    return response
  }
  throw new EngineError('unavailable', `${what}: ${url} redirects more than ${maxRedirects} times`)
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
  await pipeline(response.body as Readable, counted, createWriteStream(file, { mode: 0o600 }), { signal })
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
