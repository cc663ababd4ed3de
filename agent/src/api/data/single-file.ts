import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../../errors.ts'

/** The bytes of the one regular file in an archive. @throws invalid_argument when its first entry is something else */
export async function firstFile(archive: NodeJS.ReadableStream, path: string): Promise<{ sizeBytes: number; content: Readable }> {
  const { extract } = await import('tar-stream')
  const reader = extract()
  return new Promise((resolve, reject) => {
    reader.once('entry', (header, content, next) => {
      if (header.type !== 'file') {
        reject(new EngineError('invalid_argument', `"${path}" is a ${header.type}, not a file; fetch it as an archive`))
        content.resume()
        reader.destroy()
        return
      }
      content.once('end', next)
      resolve({ sizeBytes: header.size ?? 0, content: content as unknown as Readable })
    })
    reader.once('finish', () => reject(new EngineError('not_found', `"${path}" is not there`)))
    pipeline(archive, reader).catch(reject)
  })
}

/** An archive of one file whose bytes come from `body`. An upload that breaks off breaks the archive, so no half file is taken for whole. */
export function singleFileTar(
  file: { name: string; sizeBytes: number; mode: number; uid: number; gid: number },
  body: NodeJS.ReadableStream,
): NodeJS.ReadableStream {
  const out = new PassThrough()
  void import('tar-stream').then(({ pack }) => {
    const writer = pack()
    writer.pipe(out)
    writer.on('error', (error) => out.destroy(error))
    const { name, sizeBytes: size, mode, uid, gid } = file
    const entry = writer.entry({ name, size, mode, uid, gid, mtime: new Date() }, (error) => {
      if (error) out.destroy(error)
      else writer.finalize()
    })
    pipeline(body, entry).catch((error: Error) => out.destroy(error))
  })
  return out
}
