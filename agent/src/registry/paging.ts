import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { readBody } from './http.ts'
import type { Connection } from './registry-client.ts'
import { answerError } from './registry-error.ts'

export interface Page {
  names: string[]
  /** What to give as `last` for the next page; null at the end. */
  next: string | null
}

const maxPageBytes = 4 * 1024 * 1024

/** One page of a listing of the distribution-spec (`n`, `last`, RFC 5988 `Link`). */
export async function listPage(
  connection: Connection,
  path: string,
  field: 'tags' | 'repositories',
  page: { last?: string; limit: number },
  scopes: readonly string[],
  doing: string,
): Promise<Page> {
  const query = new URLSearchParams({ n: String(page.limit), ...(page.last ? { last: page.last } : {}) })
  const answer = await connection.send({ method: 'GET', path: `${path}?${query}` }, scopes)
  if (answer.status !== 200) throw await answerError(answer, { doing, name: connection.source.host })
  const link = answer.headers.link
  const schema = z.object({ [field]: z.array(z.string().max(512)).nullish() })
  let names: string[]
  try {
    names = schema.parse(JSON.parse((await readBody(answer, maxPageBytes, 'a listing')).toString('utf8')))[field] ?? []
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('unavailable', `${doing}: ${connection.source.host} answers something that is not a listing`, { cause: error })
  }
  return { names, next: nextOf(Array.isArray(link) ? link.join(',') : link, names) }
}

/** `last` of the link with rel="next"; the server's host in it is not trusted, only the cursor is taken. */
function nextOf(link: string | undefined, names: string[]): string | null {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(link ?? '')?.[1]
  if (target === undefined) return null
  try {
    return new URL(target, 'http://registry/').searchParams.get('last') ?? names.at(-1) ?? null
  } catch {
    return names.at(-1) ?? null
  }
}
