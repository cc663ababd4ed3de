/**
 * What a container is on disk: `containers/<id>/record.json`. The live process is tasks/' business; this is what must survive. What another file tells as well
 * (the state after an exit, say) is written to `recent.json` beside it, without waiting for the disk: after a power cut a file that was not flushed may be
 * empty, and the record must not be.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { containerOptions, containerState, mountPoint } from '@berth/contract/container'
import { platform } from '@berth/contract/image'
import { endpointConfig } from '@berth/contract/network'
import * as z from 'zod'
import { isTemporary, namesIn, readTextIfExists, removeTemporary, syncDirectory, writeFileAtomic } from '../disk/files.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'

const recordedMount = mountPoint.extend({
  /** Made for this container alone: goes with `rm -v` and auto-remove. */
  anonymous: z.boolean(),
  nonRecursive: z.boolean(),
  subpath: z.string().default(''),
  tmpfsOptions: z.array(z.string()),
  spelling: z.enum(['bind-string', 'mount', 'image', 'volumes-from']),
})
export type RecordedMount = z.infer<typeof recordedMount>

const healthcheck = z.object({
  test: z.array(z.string()),
  intervalMs: z.number().optional(),
  timeoutMs: z.number().optional(),
  startPeriodMs: z.number().optional(),
  startIntervalMs: z.number().optional(),
  retries: z.number().optional(),
})

export const containerRecord = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  createdAt: z.string(),
  options: containerOptions,
  effective: z.object({
    command: z.array(z.string()),
    entrypoint: z.array(z.string()),
    cmd: z.array(z.string()),
    env: z.array(z.string()),
    user: z.string(),
    workingDir: z.string(),
    hostname: z.string(),
    labels: z.record(z.string(), z.string()),
    exposedPorts: z.array(z.string()),
    volumes: z.array(z.string()),
    stopSignal: z.string(),
    healthcheck: healthcheck.nullable(),
  }),
  image: z.object({ id: z.string(), reference: z.string(), chainId: z.string().nullable(), platform }),
  mounts: z.array(recordedMount),
  /** Wanted networks by name or id: options.networks as connect and disconnect have changed them. */
  networks: z.record(z.string(), endpointConfig),
  /** Lives no longer than the agent that made it (a build's step): the next one ends and removes it. */
  transient: z.boolean().default(false),
  /** --userns=auto: the range outside that is root and everybody inside. */
  idmap: z.object({ uid: z.number(), gid: z.number(), size: z.number() }).nullable(),
  state: containerState
    .pick({
      exitCode: true,
      signal: true,
      oomKilled: true,
      error: true,
      errorStep: true,
      startedAt: true,
      finishedAt: true,
      restartCount: true,
    })
    .extend({
      /** `running` is a claim that reconcile checks: the monitor's files decide. */
      status: z.enum(['created', 'running', 'exited', 'dead']),
      paused: z.boolean(),
      /** Somebody stopped it: `unless-stopped` and `always` leave it so (the latter until the next boot of the agent). */
      manuallyStopped: z.boolean(),
      /** Boot of the machine in which it was started last. */
      bootId: z.string(),
    }),
})
export type ContainerRecord = z.infer<typeof containerRecord>

const recordFile = 'record.json'
const recentFile = 'recent.json'
/** Tells which of the two files is the newer. */
const revision = z.object({ revision: z.number().default(0) })

/** The directories of containers. Callers hold a container's turn while they write its record. */
export class RecordStore {
  readonly root: string
  readonly #revisions = new Map<string, number>()
  constructor(root: string) {
    this.root = root
  }

  directory(id: string): string {
    return join(this.root, id)
  }

  /** Every record that can be read. A broken one is put aside (`record.json.broken`) and named in the log; half-made directories are removed. */
  async load(log: Logger): Promise<ContainerRecord[]> {
    await mkdir(this.root, { recursive: true, mode: 0o711 })
    const records: ContainerRecord[] = []
    for (const name of await namesIn(this.root)) {
      const directory = join(this.root, name)
      if (isTemporary(name) || !/^[0-9a-f]{64}$/.test(name)) continue
      await removeTemporary(directory)
      const text = await readTextIfExists(join(directory, recordFile))
      if (text === null) continue
      try {
        const kept: unknown = JSON.parse(text)
        const record = containerRecord.parse(kept)
        records.push((await this.#recent(record.id, revision.parse(kept).revision)) ?? record)
      } catch (error) {
        log.error({ path: directory, reason: messageOf(error) }, 'a container record cannot be read and was put aside')
        await rename(join(directory, recordFile), join(directory, `${recordFile}.broken`))
      }
    }
    return records
  }

  /** The state that was written after the record, if it reached the disk. */
  async #recent(id: string, than: number): Promise<ContainerRecord | null> {
    this.#revisions.set(id, than)
    const text = await readTextIfExists(join(this.directory(id), recentFile))
    if (text === null) return null
    try {
      const value: unknown = JSON.parse(text)
      const written = revision.parse(value).revision
      if (written <= than) return null
      const record = containerRecord.parse(value)
      this.#revisions.set(id, written)
      return record
    } catch {
      return null
    }
  }

  /** Directories without a record: what a crash left of a create or a remove. */
  async orphans(known: ReadonlySet<string>): Promise<string[]> {
    const orphans: string[] = []
    for (const name of await namesIn(this.root)) {
      if (known.has(name)) continue
      const directory = join(this.root, name)
      if ((await readTextIfExists(join(directory, `${recordFile}.broken`))) === null) orphans.push(name)
    }
    return orphans
  }

  /** @param durable false: survives the agent, not a power cut. For what another file tells as well. */
  async save(record: ContainerRecord, durable: boolean): Promise<void> {
    const next = (this.#revisions.get(record.id) ?? 0) + 1
    this.#revisions.set(record.id, next)
    const path = join(this.directory(record.id), durable ? recordFile : recentFile)
    await writeFileAtomic(path, `${JSON.stringify({ revision: next, ...record })}\n`, { durable })
  }

  /** Makes the directory of a new container; its record comes last, so that a half-made one is an orphan. */
  async createDirectory(id: string): Promise<void> {
    await mkdir(this.directory(id), { mode: 0o711 })
  }

  /** Makes a new container's name durable after its first save. */
  async syncRoot(): Promise<void> {
    await syncDirectory(this.root)
  }

  /** The container is gone from here on. Its directory stays until all that belongs to it is gone too: a crash in between leaves an orphan to sweep. */
  async forget(id: string): Promise<void> {
    this.#revisions.delete(id)
    await rm(join(this.directory(id), recordFile), { force: true })
    await syncDirectory(this.directory(id))
  }

  async removeDirectory(id: string): Promise<void> {
    await rm(this.directory(id), { recursive: true, force: true })
  }
}
