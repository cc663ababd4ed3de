import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path/posix'
import { EngineError } from '../../errors.ts'
import { answerJson } from '../http-answer.ts'
import { type DataRequest, need, sendStream } from './route.ts'
import { firstFile, singleFileTar } from './single-file.ts'

/** The tar of a path, in a container or a volume. */
async function archiveOf({ engine, query, signal }: DataRequest, path = need(query, 'path')): Promise<NodeJS.ReadableStream> {
  const volume = query.get('volume')
  if (volume) return engine.volumeFiles.getArchive(volume, path, signal)
  return (await engine.containers.getArchive(need(query, 'container'), path, { follow: true }, signal)).archive
}

async function put({ engine, query }: DataRequest, path: string, archive: NodeJS.ReadableStream): Promise<void> {
  const volume = query.get('volume')
  if (volume) await engine.volumeFiles.putArchive(volume, path, archive)
  else await engine.containers.putArchive(need(query, 'container'), path, archive, { noOverwriteDirNonDir: true, copyUidGid: false })
}

export async function getArchive(data: DataRequest): Promise<void> {
  const name = basename(need(data.query, 'path')) || 'root'
  await sendStream(data, await archiveOf(data), { type: 'application/x-tar', filename: `${name}.tar` })
}

export async function putArchive(data: DataRequest): Promise<void> {
  await put(data, need(data.query, 'path'), data.request)
  answerJson(data.response, 200, {})
}

/** One regular file, out of the archive that the tar verbs give. @throws invalid_argument for a directory or device */
export async function getContent(data: DataRequest): Promise<void> {
  const path = need(data.query, 'path')
  const file = await firstFile(await archiveOf(data), path)
  data.response.setHeader('content-length', file.sizeBytes)
  await sendStream(data, file.content, { type: 'application/octet-stream', filename: basename(path) })
}

async function rename({ engine, query }: DataRequest, from: string, to: string): Promise<void> {
  const volume = query.get('volume')
  if (volume) await engine.volumeFiles.renameFile(volume, from, to)
  else await engine.containers.renameFile(need(query, 'container'), from, to)
}

async function remove({ engine, query }: DataRequest, path: string): Promise<void> {
  const volume = query.get('volume')
  if (volume) await engine.volumeFiles.removeFile(volume, path)
  else await engine.containers.removeFile(need(query, 'container'), path)
}

/**
 * Writes one file; the length must be known because it stands in front of the bytes in an archive. It arrives under another name beside its place: an upload that breaks off or is cancelled
 * leaves nothing, and what was there before as it was. An existing file keeps its inode (it may be a mount), mode and owner.
 */
export async function putContent(data: DataRequest): Promise<void> {
  const { engine, query, request } = data
  const path = need(query, 'path')
  const length = Number(request.headers['content-length'] ?? Number.NaN)
  if (!Number.isSafeInteger(length)) throw new EngineError('invalid_argument', 'the upload must say its length (Content-Length)')
  const volume = query.get('volume')
  const listing = volume
    ? await engine.volumeFiles.listFiles(volume, dirname(path), 20_000)
    : await engine.containers.listFiles(need(query, 'container'), dirname(path), 20_000)
  const existing = listing.find((entry) => entry.name === basename(path))
  if (existing && existing.type !== 'file') throw new EngineError('invalid_argument', `"${path}" is a ${existing.type}, not a file`)
  const attributes = { mode: (existing?.mode ?? 0o644) & 0o7777, uid: existing?.uid ?? 0, gid: existing?.gid ?? 0 }
  const folder = dirname(path)
  const arriving = join(folder, `.berth-upload-${randomUUID()}`)
  try {
    await put(data, folder, singleFileTar({ name: basename(arriving), sizeBytes: length, ...attributes }, request))
    if (existing) {
      const { content, sizeBytes } = await firstFile(await archiveOf(data, arriving), arriving)
      await put(data, folder, singleFileTar({ name: basename(path), sizeBytes, ...attributes }, content))
      await remove(data, arriving)
    } else await rename(data, arriving, path)
  } catch (error) {
    await remove(data, arriving).catch((left) => {
      // Not even begun, or its container is gone: the first error is the one to tell.
      if (!(left instanceof EngineError)) throw left
    })
    throw error
  }
  answerJson(data.response, 200, {})
}
