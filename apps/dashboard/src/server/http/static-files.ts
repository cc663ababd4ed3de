import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join, sep } from 'node:path'

const types: Record<string, string> = {
  '.js': 'application/javascript; charset=UTF-8',
  '.css': 'text/css; charset=UTF-8',
  '.svg': 'image/svg+xml',
}

/** Answers a request if it is for a file that it has; false: somebody else must. */
export type StaticFiles = (request: IncomingMessage, response: ServerResponse, path: string) => boolean

/**
 * The scripts and styles of the pages as build-server.ts left them, compressed once and as well as possible: a seventh smaller than compressing at each request, and no work at all.
 * A request names one of the files that were there at the start or gets no answer here, so that no path can lead elsewhere.
 *
 * @param directory `.next/static`; one that does not exist (development) has no files
 */
export function openStaticFiles(directory: string): StaticFiles {
  const known = new Map<string, { file: string; type: string; sizeBytes: number }>()
  const names = existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: 'utf8' }) : []
  for (const name of names) {
    const type = types[/\.[a-z]+(?=\.br$)/.exec(name)?.[0] ?? '']
    if (!type) continue
    const file = join(directory, name)
    known.set(`/_next/static/${name.slice(0, -3).split(sep).join('/')}`, { file, type, sizeBytes: statSync(file).size })
  }
  return (request, response, path) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const found = known.get(path)
    if (!found || !/\bbr\b/.test(String(request.headers['accept-encoding'] ?? ''))) return false
    response.writeHead(200, {
      'content-type': found.type,
      'content-length': found.sizeBytes,
      'content-encoding': 'br',
      vary: 'Accept-Encoding',
      // The name contains what is in it.
      'cache-control': 'public, max-age=31536000, immutable',
    })
    if (request.method === 'HEAD') response.end()
    else
      createReadStream(found.file)
        .once('error', () => response.destroy())
        .pipe(response)
    return true
  }
}
