import type { Readable } from 'node:stream'
import type { FileEntry } from '@berth/contract/file'
import * as z from 'zod'
import { EngineError } from '../errors.ts'
import { openProgram, runProgram } from '../native/programs.ts'
import type { VolumeFiles } from './files.ts'

const types: Record<string, FileEntry['type']> = {
  file: 'file',
  directory: 'directory',
  link: 'link',
  block: 'block',
  char: 'char',
  fifo: 'fifo',
  socket: 'socket',
}
const stat = z.object({
  name: z.string(),
  sizeBytes: z.number(),
  mode: z.number(),
  mtime: z.union([z.string(), z.number()]),
  linkTarget: z.string().nullish(),
})
const entry = stat.extend({ type: z.string(), uid: z.number(), gid: z.number() })

/**
 * Files of volumes by berth-unpack, which resolves every path inside the volume's directory.
 * @param options.mountpoint the host directory of a volume; throws not_found
 */
export function createVolumeFiles(options: { unpackPath: string; mountpoint: (volume: string) => Promise<string> }): VolumeFiles {
  const call = async (verb: string, volume: string, path: string, args: string[] = []): Promise<string> => {
    const root = await options.mountpoint(volume)
    const { stdout } = await runProgram(options.unpackPath, [verb, '--root', root, '--path', checked(path), ...args])
    return stdout
  }
  return {
    async statPath(volume, path) {
      const { mtime, linkTarget, ...rest } = stat.parse(JSON.parse(await call('stat', volume, path)))
      return { ...rest, modifiedAt: timeText(mtime), linkTarget: linkTarget ?? '' }
    },
    async listFiles(volume, path, limit) {
      const lines = (await call('list', volume, path, ['--limit', String(limit)])).split('\n').filter(Boolean)
      return lines.map((line) => {
        const { mtime, type, linkTarget, ...rest } = entry.parse(JSON.parse(line))
        return { ...rest, type: types[type] ?? 'file', modifiedAt: timeText(mtime), linkTarget: linkTarget ?? null }
      })
    },
    async makeDirectory(volume, path) {
      await call('mkdir', volume, path)
    },
    async removeFile(volume, path) {
      if (/^\/*$/.test(checked(path).replace(/\/\.(?=\/|$)/g, '')))
        throw new EngineError('invalid_argument', `the root of volume ${volume} cannot be removed; remove the volume`)
      await call('remove', volume, path)
    },
    async renameFile(volume, from, to) {
      await call('rename', volume, from, ['--to', checked(to)])
    },
    async getArchive(volume, path, signal) {
      const root = await options.mountpoint(volume)
      return openProgram(options.unpackPath, ['get', '--root', root, '--path', checked(path), '--follow'], { signal }).stdout
    },
    async putArchive(volume, path, archive) {
      const root = await options.mountpoint(volume)
      await runProgram(options.unpackPath, ['put', '--root', root, '--path', checked(path), '--no-overwrite-dir-non-dir'], {
        stdin: archive as Readable,
      })
    },
  }
}

function checked(path: string): string {
  if (path === '' || path.includes('\0')) throw new EngineError('invalid_argument', 'a path inside the volume is needed')
  return path.startsWith('/') ? path : `/${path}`
}

function timeText(mtime: string | number): string {
  return typeof mtime === 'number' ? new Date(mtime * 1000).toISOString() : mtime
}
