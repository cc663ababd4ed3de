import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DataRoute, dataPermissions } from '@berth/contract/permission'
import { ZodError } from 'zod'
import { EngineError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import { answerError } from '../http-answer.ts'
import { requirePermission } from '../policy.ts'
import * as bulk from './bulk.ts'
import * as files from './files.ts'
import type { DataHandler } from './route.ts'

export const dataHandlers: Record<DataRoute, DataHandler> = {
  'GET files/archive': files.getArchive,
  'GET files/content': files.getContent,
  'PUT files/archive': files.putArchive,
  'PUT files/content': files.putContent,
  'GET logs/download': bulk.downloadLogs,
  'GET containers/export': bulk.exportContainer,
  'GET images/save': bulk.saveImages,
  'POST images/load': bulk.loadImages,
  'POST images/import': bulk.importImage,
  'POST build': bulk.build,
  'GET volumes/backup': bulk.backupVolume,
  'POST volumes/restore': bulk.restoreVolume,
}

/** `METHOD /data/<name>`: bulk bytes by the table in contract/permission.ts. Answers by itself, errors too. */
export async function serveData(context: ApiContext, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    const route = `${request.method} ${url.pathname.replace(/^\/data\//, '')}` as DataRoute
    const needed = Object.hasOwn(dataPermissions, route) ? dataPermissions[route] : undefined
    if (!needed) throw new EngineError('not_found', `there is no data route "${route}"`)
    requirePermission(context.caller, needed, context.engine.config.policy)
    await dataHandlers[route]({ ...context, query: url.searchParams, request, response, signal: gone.signal })
  } catch (error) {
    if (gone.signal.aborted) return
    answerError(response, error instanceof ZodError ? new EngineError('invalid_argument', error.issues[0]?.message ?? 'bad input') : error)
  }
}
