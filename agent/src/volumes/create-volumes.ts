import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import type { PruneResult } from '@berth/contract/image'
import type { VolumeSummary } from '@berth/contract/volume'
import * as z from 'zod'
import { ensureDirectory, namesIn, syncDirectory } from '../disk/files.ts'
import { openRecords } from '../disk/records.ts'
import { EngineError, messageOf } from '../errors.ts'
import type { Events } from '../events/events.ts'
import type { Logger } from '../log.ts'
import { openProgram, runProgram } from '../native/programs.ts'
import { openTrash } from '../snapshots/trash.ts'
import { compileFilters, hasLabel } from './filters.ts'
import { finishReplacing, replaceContent, unpacking } from './replace-content.ts'
import { checkOptions, mountOn, unmountFrom } from './volume-mount.ts'
import type { Volumes } from './volumes.ts'

const volumeRecord = z.object({
  name: z.string(),
  createdAt: z.string(),
  labels: z.record(z.string(), z.string()),
  options: z.record(z.string(), z.string()),
  anonymous: z.boolean(),
})
type VolumeRecord = z.infer<typeof volumeRecord>
type VolumeUser = { volume: string; containerId: string; containerName: string; destination: string; readOnly: boolean }

export interface VolumeStore extends Volumes {
  /** Unmounts what nobody uses and waits for removals. */
  close(): Promise<void>
}

/**
 * Opens the volumes below `dataRoot`/volumes: `<name>/_data` and `<name>/record.json`. A directory without a record was a volume in the making (or being
 * removed) when the agent died; it is thrown away. A volume whose content was being replaced gets the new content.
 */
export async function createVolumes(options: { dataRoot: string; nativeDir: string; events: Events; log?: Logger }): Promise<VolumeStore> {
  const { events, log } = options
  const root = join(options.dataRoot, 'volumes')
  const program = join(options.nativeDir, 'berth-unpack')
  await ensureDirectory(root, 0o711)
  await chmod(root, 0o711)
  const trash = await openTrash(join(root, '.trash'), program, log)
  const records = await openRecords<VolumeRecord>(root, { parse: (value) => volumeRecord.parse(value), layout: 'directory', log })
  for (const name of await namesIn(root)) {
    if (name.startsWith('.') || records.has(name)) continue
    // A record that cannot be read is no reason to throw data away.
    if ((await namesIn(join(root, name))).some((file) => file.endsWith('.broken'))) continue
    await unmountFrom(join(root, name, '_data'))
    await trash.discard(join(root, name))
  }
  for (const name of records.keys()) await finishReplacing(join(root, name), trash)
  let users: () => Iterable<VolumeUser> = () => []
  /** One change of a volume at a time. */
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const next = (turns.get(name) ?? Promise.resolve()).then(work, work)
    const settled = next.catch(() => {})
    turns.set(name, settled)
    settled.then(() => turns.get(name) === settled && turns.delete(name))
    return next
  }
  const dataOf = (name: string) => join(root, name, '_data')
  const need = (name: string): VolumeRecord => {
    const record = records.get(name)
    if (!record) throw new EngineError('not_found', `no such volume: ${name}`)
    return record
  }
  const usersOf = (name: string) => [...users()].filter((user) => user.volume === name)
  const usageOf = async (name: string): Promise<number> => {
    const { stdout } = await runProgram(program, ['usage', '--dir', dataOf(name)])
    return z.object({ sizeBytes: z.number() }).parse(JSON.parse(stdout)).sizeBytes
  }
  const summarize = async (record: VolumeRecord, withSize = false): Promise<VolumeSummary> => ({
    ...record,
    driver: 'local',
    mountpoint: dataOf(record.name),
    usedBy: usersOf(record.name).map(({ containerId, containerName, destination, readOnly }) => ({
      id: containerId,
      name: containerName,
      destination,
      readOnly,
    })),
    sizeBytes: withSize ? await usageOf(record.name) : null,
  })
  const tell = (action: string, name: string) =>
    void events.publish({ type: 'volume', action, actorId: name, attributes: { driver: 'local' } })

  /** Directory first, record last: what has a record is whole. `fill` puts content in before anybody can see it. */
  const make = async (record: VolumeRecord, fill?: (data: string) => Promise<void>) => {
    const directory = join(root, record.name)
    try {
      await mkdir(join(directory, '_data'), { recursive: true, mode: 0o755 })
      await chmod(directory, 0o711)
      await fill?.(join(directory, '_data'))
      await records.put(record.name, record)
      await syncDirectory(root)
    } catch (error) {
      records.forget(record.name)
      await trash.discard(directory)
      throw error
    }
    tell('create', record.name)
    return summarize(record)
  }
  const drop = async (record: VolumeRecord) => {
    await unmountFrom(dataOf(record.name))
    records.forget(record.name)
    await trash.discard(join(root, record.name))
    await syncDirectory(root)
    tell('destroy', record.name)
  }
  const mountpoint = async (name: string): Promise<string> => {
    const record = need(name)
    if (record.options.device) await inTurn(name, () => mountOn(dataOf(name), name, record.options))
    return dataOf(name)
  }

  return {
    async list({ filters, withSize } = {}) {
      const matches = compileFilters(filters ?? {})
      const used = new Set([...users()].map((user) => user.volume))
      const shown = records.values().filter((record) => matches(record, used.has(record.name)))
      shown.sort((a, b) => a.name.localeCompare(b.name))
      return Promise.all(shown.map((record) => summarize(record, withSize)))
    },
    inspect: async (name, { withSize } = {}) => summarize(need(name), withSize),
    async create({ name, labels = {}, options: driver = {}, anonymous }) {
      const own = name || randomBytes(32).toString('hex')
      checkName(own)
      checkOptions(driver)
      return inTurn(own, async () => {
        const existing = records.get(own)
        if (!existing) {
          const made = { name: own, createdAt: new Date().toISOString(), labels, options: driver, anonymous: anonymous ?? !name }
          return make(made)
        }
        const same = JSON.stringify(sorted(existing.options)) === JSON.stringify(sorted(driver))
        if (!same && Object.keys(driver).length > 0) {
          throw new EngineError(
            'already_exists',
            `volume ${own} exists already with other driver options; remove it first or choose another name`,
          )
        }
        return summarize(existing)
      })
    },
    async remove(name, { force }) {
      await inTurn(name, async () => {
        const record = records.get(name)
        if (!record && force) return
        const found = need(name)
        const ids = usersOf(name).map((user) => user.containerId)
        if (ids.length > 0)
          throw new EngineError('failed_precondition', `remove ${name}: volume is in use - [${[...new Set(ids)].join(', ')}]`)
        await drop(found)
      })
    },
    async prune({ all, labels, notLabels, dryRun }) {
      const used = new Set([...users()].map((user) => user.volume))
      const going = records
        .values()
        .filter((record) => !used.has(record.name) && (all || record.anonymous))
        .filter(
          (record) =>
            labels.every((filter) => hasLabel(record.labels, filter)) && !notLabels.some((filter) => hasLabel(record.labels, filter)),
        )
      const removed: PruneResult['removed'] = []
      for (const record of going) {
        // A device's content is not ours and is not given back.
        const sizeBytes = record.options.device ? 0 : await usageOf(record.name)
        const gone =
          dryRun ||
          (await inTurn(
            record.name,
            async () => records.has(record.name) && usersOf(record.name).length === 0 && drop(record).then(() => true),
          ))
        if (gone) removed.push({ id: record.name, name: record.name, sizeBytes })
      }
      return { removed, reclaimedBytes: removed.reduce((sum, entry) => sum + entry.sizeBytes, 0), dryRun }
    },
    mountpoint,
    async isPristine(name) {
      return (await readdir(await mountpoint(name))).length === 0
    },
    async clone(source, target, signal) {
      checkName(target)
      const from = need(source)
      const data = await mountpoint(source)
      return inTurn(target, async () => {
        if (records.has(target))
          throw new EngineError('already_exists', `volume ${target} exists already; remove it first or choose another name`)
        const record = { ...from, name: target, createdAt: new Date().toISOString(), options: {}, anonymous: false }
        return make(record, async (directory) => {
          await runProgram(program, ['copy', '--root', data, '--path', '/', '--to-dir', directory], { signal })
        })
      })
    },
    async backup(name, signal) {
      const { stdout } = openProgram(program, ['export', '--root', await mountpoint(name)], { signal })
      const gzip = createGzip({ level: 6, chunkSize: 64 * 1024 })
      pipeline(stdout, gzip, () => {}) // a failure of either destroys both: the reader of the archive sees it
      return gzip
    },
    async restore(name, archive, signal) {
      const source = (archive as Readable).pipe(new PassThrough())
      archive.once('error', (error) => source.destroy(error))
      const data = await mountpoint(name)
      await inTurn(name, async () => {
        const { options: driver } = need(name)
        if (driver.device) {
          // Another file system: entries cannot be moved in by rename, so they are written over what is there.
          await runProgram(program, ['put', '--root', data, '--path', '/'], { stdin: source, signal })
          return
        }
        const volume = join(root, name)
        const fresh = join(volume, unpacking)
        await trash.discard(fresh)
        await mkdir(fresh, { mode: 0o755 })
        try {
          await runProgram(program, ['put', '--root', fresh, '--path', '/'], { stdin: source, signal })
          await runProgram('sync', ['--file-system', fresh])
          await replaceContent(volume, trash)
        } catch (error) {
          await trash.discard(fresh)
          throw error
        }
      })
      tell('restore', name)
    },
    setUsers(source) {
      users = source
    },
    async close() {
      for (const record of records.values()) {
        if (!record.options.device || usersOf(record.name).length > 0) continue
        await unmountFrom(dataOf(record.name)).catch((error) =>
          log?.warn({ volume: record.name, reason: messageOf(error) }, 'a volume could not be unmounted'),
        )
      }
      await trash.emptied()
    },
  }
}

/** Docker's rule and sentence. */
function checkName(name: string): void {
  if (name.length === 1)
    throw new EngineError('invalid_argument', 'volume name is too short, names should be at least two alphanumeric characters')
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || name.length > 240) {
    throw new EngineError(
      'invalid_argument',
      `create ${name.slice(0, 80)}: "${name.slice(0, 80)}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
}

function sorted(options: Record<string, string>): [string, string][] {
  return Object.entries(options).sort(([a], [b]) => a.localeCompare(b))
}
