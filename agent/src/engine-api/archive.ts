import { pipeline } from 'node:stream/promises'
import type { PathStat } from '../containers/containers.ts'
import { EngineError } from '../errors.ts'
import { type Call, flag, type Route, sendEmpty } from './call.ts'
import { goFileMode } from './words.ts'

function pathOf(call: Call): string {
  const path = call.query.get('path') ?? ''
  if (path === '') throw new EngineError('invalid_argument', "bad parameter: 'path' cannot be empty")
  if (path.includes('\0')) throw new EngineError('invalid_argument', 'bad parameter: the path must not contain a NUL byte')
  return path
}

function statHeader(stat: PathStat): string {
  return Buffer.from(
    JSON.stringify({
      name: stat.name,
      size: stat.sizeBytes,
      mode: goFileMode(stat.mode),
      mtime: stat.modifiedAt,
      linkTarget: stat.linkTarget,
    }),
  ).toString('base64')
}

async function head(call: Call): Promise<void> {
  const stat = await call.engine.containers.statPath(call.params[0] as string, pathOf(call))
  call.response.writeHead(200, { 'X-Docker-Container-Path-Stat': statHeader(stat), 'Content-Length': 0 })
  call.response.end()
}

async function get(call: Call): Promise<void> {
  const { stat, archive } = await call.engine.containers.getArchive(call.params[0] as string, pathOf(call), {}, call.signal)
  call.response.writeHead(200, { 'Content-Type': 'application/x-tar', 'X-Docker-Container-Path-Stat': statHeader(stat) })
  await pipeline(archive, call.response)
}

async function put(call: Call): Promise<void> {
  await call.engine.containers.putArchive(call.params[0] as string, pathOf(call), call.request, {
    noOverwriteDirNonDir: flag(call.query, 'noOverwriteDirNonDir'),
    copyUidGid: flag(call.query, 'copyUIDGID'),
  })
  sendEmpty(call, 200)
}

async function exportContainer(call: Call): Promise<void> {
  const archive = await call.engine.containers.export(call.params[0] as string, call.signal)
  call.response.writeHead(200, { 'Content-Type': 'application/octet-stream' })
  await pipeline(archive, call.response)
}

export const archiveRoutes: readonly Route[] = [
  ['HEAD', /^\/containers\/([^/]+)\/archive$/, head],
  ['GET', /^\/containers\/([^/]+)\/archive$/, get],
  ['PUT', /^\/containers\/([^/]+)\/archive$/, put],
  ['GET', /^\/containers\/([^/]+)\/export$/, exportContainer],
]
