import { mkdir } from 'node:fs/promises'
import type { ContainerSummary } from '@berth/contract/container'
import type { PruneResult } from '@berth/contract/image'
import { EngineError, messageOf } from '../errors.ts'
import { parseTime } from '../events/time.ts'
import type { AttachListener, AttachOptions, Task } from '../tasks/tasks.ts'
import { commitContainer } from './commit.ts'
import { connectNetwork, disconnectNetwork } from './connect.ts'
import type { Container } from './container.ts'
import { ContainerIndex } from './container-index.ts'
import type { Containers } from './containers.ts'
import { type ContainerDependencies, ContainerPaths, type Context } from './context.ts'
import { createContainer } from './create.ts'
import { Execs } from './execs.ts'
import * as files from './files.ts'
import { compileFilters, hasLabel } from './filters.ts'
import { readHostFacts } from './host-facts.ts'
import { checkLinks, followRename, removeLink } from './links.ts'
import { withoutOwnFiles } from './own-files.ts'
import { reconcile, restartAtBoot } from './reconcile.ts'
import { RecordStore } from './record.ts'
import { removeContainer } from './remove.ts'
import { saveChange } from './save-change.ts'
import { startContainer } from './start.ts'
import { killContainer, pauseContainer, stopContainer, unpauseContainer } from './stop.ts'
import { Summaries } from './summaries.ts'
import { topOf } from './top.ts'
import { check } from './transitions.ts'
import { updateContainer } from './update.ts'
import { detailOf, type Sizes, summaryOf } from './view.ts'

/** What other rooms need of the containers, beyond the interface that edges see. */
export interface ContainersRoom extends Containers {
  readonly cgroupVersion: '1' | '2'
  /** Running ones, for the stats sampler. */
  running(): Iterable<{ id: string; pid: number; cgroup: string; ownNetwork: boolean }>
  /** For the log reader. @throws EngineError not_found, failed_precondition for log driver none */
  logOf(container: string): { id: string; directory: string; running: boolean; ended: Promise<void> }
}

/**
 * Builds the room; open() brings it to life. Gives images/ and volumes/ their view of who uses what.
 * One object because each method is a line: what a change does is in the file named after it.
 */
export async function createContainers(dependencies: ContainerDependencies): Promise<ContainersRoom> {
  const paths = new ContainerPaths(dependencies.config)
  const index = new ContainerIndex()
  const context: Context = {
    ...dependencies,
    host: await readHostFacts(),
    index,
    store: new RecordStore(paths.root),
    paths,
    closed: false,
    start: (container) => startContainer(context, container),
    tell(container, action, attributes) {
      const { record } = container
      dependencies.events.publish({
        type: 'container',
        action,
        actorId: container.id,
        attributes: { ...record.effective.labels, image: record.options.image, name: record.name, ...attributes },
      })
    },
  }
  const execs = new Execs(context)
  context.images.setUsers(function* () {
    for (const { id, record, running } of index.values()) yield { imageId: record.image.id, containerId: id, running }
  })
  context.volumes.setUsers(function* () {
    for (const { id, record } of index.values())
      for (const mount of record.mounts)
        if (mount.type === 'volume')
          yield {
            volume: mount.name,
            containerId: id,
            containerName: record.name,
            destination: mount.destination,
            readOnly: mount.readOnly,
          }
  })
  return {
    cgroupVersion: context.host.cgroupVersion,
    ...lifecycle(context, execs),
    ...reading(context),
    ...terminals(context, execs),
    ...fileVerbs(context),
    async open() {
      await mkdir(paths.tasksRoot, { recursive: true, mode: 0o700 })
      await mkdir(paths.execsRoot, { recursive: true, mode: 0o700 })
      const due = await reconcile(context)
      await execs.recover()
      void restartAtBoot(context, due)
    },
    async close() {
      context.closed = true
      execs.close()
      for (const container of index.values()) {
        container.cancelRestart()
        container.stopHealth?.()
        container.task?.release()
      }
    },
  }
}

function lifecycle(context: Context, execs: Execs) {
  const { index } = context
  const start = (spelled: string) => {
    const container = index.resolve(spelled)
    return container.inTurn(async () => {
      if (check('start', { id: container.id, spelled, status: container.status }) === 'no-op') return false
      container.lastRestartDelayMs = 0
      container.change({ restartCount: 0 })
      try {
        checkLinks(context, container)
        await startContainer(context, container)
      } catch (error) {
        if (container.record.options.autoRemove) await remove(container, { force: true, volumes: true }, spelled)
        throw error
      }
      return true
    })
  }
  const remove = async (container: Container, options: { force: boolean; volumes: boolean }, spelled: string) => {
    await removeContainer(context, container, options, spelled)
    execs.forgetContainer(container)
  }
  return {
    create: (input: Parameters<Containers['create']>[0]) => createContainer(context, input),
    start,
    stop: (spelled: string, options: Parameters<Containers['stop']>[1] = {}) =>
      stopContainer(context, index.resolve(spelled), options, spelled),
    async restart(spelled: string, options: Parameters<Containers['restart']>[1] = {}) {
      const container = index.resolve(spelled)
      container.restarting = true
      try {
        await stopContainer(context, container, options, spelled)
        await start(container.id)
      } finally {
        container.restarting = false
      }
      context.tell(container, 'restart')
    },
    kill: async (spelled: string, signal: string) => killContainer(context, index.resolve(spelled), signal, spelled),
    pause: async (spelled: string) => {
      const container = index.resolve(spelled)
      return container.inTurn(() => pauseContainer(context, container, spelled))
    },
    unpause: async (spelled: string) => {
      const container = index.resolve(spelled)
      return container.inTurn(() => unpauseContainer(context, container, spelled))
    },
    removeLink: async (spelled: string) => removeLink(context, spelled),
    async rename(spelled: string, name: string) {
      const container = index.resolve(spelled)
      let old = container.name
      await container.inTurn(async () => {
        check('rename', { id: container.id, spelled, status: container.status })
        old = container.name
        if (old === name) throw new EngineError('invalid_argument', 'Renaming a container with the same name as its current name')
        index.reserve(name, container.id)
        try {
          await saveChange(context, container, (record) => ({ ...record, name }))
        } catch (error) {
          index.release(name, container.id)
          throw error
        }
        index.release(old, container.id)
        context.networks.rename(container.id, name)
        context.tell(container, 'rename', { oldName: `/${old}` })
      })
      await followRename(context, old, name)
    },
    async update(spelled: string, change: Parameters<Containers['update']>[1]) {
      const container = index.resolve(spelled)
      return container.inTurn(() => updateContainer(context, container, change, spelled))
    },
    async remove(spelled: string, options: { force: boolean; volumes: boolean }) {
      const container = index.resolve(spelled)
      if (options.force && (container.running || container.restartTimer || container.starting)) {
        // A paused one is thawed first, or the signal would wait for ever.
        await stopContainer(context, container, { timeoutSeconds: 0, forRemoval: true }, spelled)
      }
      await container.inTurn(async () => {
        // Auto-remove may have been quicker.
        if (!index.get(container.id) && options.force) return
        await remove(container, options, spelled)
      })
    },
    wait: async (spelled: string, condition: Parameters<Containers['wait']>[1], signal?: AbortSignal) =>
      index.resolve(spelled).wait(condition, signal),
    async prune(options: Parameters<Containers['prune']>[0]): Promise<PruneResult> {
      const until = options.until === undefined ? null : pruneTime(options.until)
      const removed: PruneResult['removed'] = []
      for (const container of [...index.values()]) {
        if (!['created', 'exited', 'dead'].includes(container.status) || container.starting) continue
        const { createdAt, effective } = container.record
        if (until !== null && parseTime(createdAt) > until) continue
        if (
          !options.labels.every((label) => hasLabel(effective.labels, label)) ||
          options.notLabels.some((label) => hasLabel(effective.labels, label))
        )
          continue
        const { sizeBytes } = await context.snapshots.usage(container.id)
        if (!options.dryRun) {
          const gone = await container
            .inTurn(() => remove(container, { force: false, volumes: false }, container.name))
            .then(() => true)
            .catch((error) => {
              context.log.warn({ id: container.id, reason: messageOf(error) }, 'prune passed over a container')
              return false
            })
          if (!gone) continue
        }
        removed.push({ id: container.id, name: container.name, sizeBytes })
      }
      return { removed, reclaimedBytes: removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), dryRun: options.dryRun }
    },
    async connect(network: string, spelled: string, config: Parameters<Containers['connect']>[2]) {
      const container = index.resolve(spelled)
      await container.inTurn(() => connectNetwork(context, container, network, config))
    },
    async disconnect(network: string, spelled: string, force: boolean) {
      const container = index.resolve(spelled)
      await container.inTurn(() => disconnectNetwork(context, container, network, force))
    },
  }
}

/** `until` of prune: a time, or an age such as 24h. */
function pruneTime(text: string): bigint {
  const age = [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)]
  if (age.length === 0 || age.map((match) => match[0]).join('') !== text) return parseTime(text)
  const seconds = age.reduce((sum, match) => sum + Number(match[1]) * ({ h: 3600, m: 60, s: 1 }[match[2] as 'h' | 'm' | 's'] ?? 0), 0)
  return BigInt(Math.round(Date.now() - seconds * 1000)) * 1_000_000n
}

function reading(context: Context) {
  const { index } = context
  const summaries = new Summaries(context)
  const sizesOf = async ({ id, record }: Container): Promise<Sizes> => {
    const { sizeBytes } = await context.snapshots.usage(id)
    const image = await context.images.inspect(record.image.id).catch(() => null)
    return { rw: sizeBytes, rootFs: sizeBytes + (image?.sizeBytes ?? 0) }
  }
  return {
    revision: () => index.revision,
    async list(query: Parameters<Containers['list']>[0]): Promise<ContainerSummary[]> {
      const filter = compileFilters(query.filters, {
        ancestors: (reference) => ancestorsOf(context, reference),
        find: (spelled) => index.resolve(spelled).record,
      })
      const wantsAll = query.all || query.limit > 0 || ['status', 'exited', 'health'].some((name) => query.filters[name]?.length)
      const linked = index.linkNames()
      const chosen: ContainerSummary[] = []
      for (const container of index.newestFirst()) {
        if (query.limit > 0 && chosen.length >= query.limit) break
        if (!wantsAll && !container.running) continue
        const summary = summaries.of(container)
        if (!filter(summary)) continue
        const linkedAs = linked.get(container.id)
        const told = query.size ? summaryOf(context, container, await sizesOf(container)) : summary
        chosen.push(linkedAs ? { ...told, linkedAs } : told)
      }
      return chosen
    },
    async inspect(spelled: string, options?: { size?: boolean }) {
      const container = index.resolve(spelled)
      return detailOf(context, container, options?.size ? await sizesOf(container) : null)
    },
    resolveId: (spelled: string) => index.resolve(spelled).id,
    top: async (spelled: string, psArgs: string[]) => topOf(context, index.resolve(spelled), psArgs, spelled),
    changes: async (spelled: string) => withoutOwnFiles(await context.snapshots.changes(index.resolve(spelled).id)),
    commit: async (spelled: string, options: Parameters<Containers['commit']>[1], signal?: AbortSignal) =>
      commitContainer(context, index.resolve(spelled), options, signal),
    *running() {
      for (const { id, task, record } of index.values())
        if (task)
          yield {
            id,
            pid: task.pid,
            cgroup: context.paths.cgroup(id, record.options.cgroupParent),
            ownNetwork: record.options.networkMode !== 'host',
          }
    },
    logOf(spelled: string) {
      const container = index.resolve(spelled)
      if (container.record.options.log.driver === 'none')
        throw new EngineError('failed_precondition', 'configured logging driver does not support reading')
      const { task } = container
      return {
        id: container.id,
        directory: context.paths.logs(container.id),
        running: task !== null || container.restartTimer !== null,
        ended: task ? task.ended.then(() => {}) : Promise.resolve(),
      }
    },
  }
}

/** The image and every image whose parents lead to it. */
function ancestorsOf(context: Context, reference: string): ReadonlySet<string> {
  try {
    return context.images.descendants(context.images.resolve(reference).id)
  } catch (error) {
    if (error instanceof EngineError && (error.code === 'not_found' || error.code === 'invalid_argument')) return new Set()
    throw error
  }
}

function terminals(context: Context, execs: Execs) {
  const { index } = context
  const live = (spelled: string): Task => {
    const container = index.resolve(spelled)
    if (!container.task) throw new EngineError('failed_precondition', `Container ${container.id} is not running`)
    return container.task
  }
  return {
    async attach(spelled: string, options: AttachOptions, listener: AttachListener) {
      const container = index.resolve(spelled)
      check('attach', { id: container.id, spelled, status: container.status })
      context.tell(container, 'attach')
      if (container.task && !container.starting) return container.task.attach(options, listener)
      const viewer = context.tasks.waitingViewer(container.record.options.terminal, options, listener)
      container.viewers = [...container.viewers.filter((other) => !other.left), viewer]
      return viewer
    },
    async resize(spelled: string, cols: number, rows: number) {
      live(spelled).resize(cols, rows)
      context.tell(index.resolve(spelled), 'resize', { width: String(cols), height: String(rows) })
    },
    createExec: async (spelled: string, options: Parameters<Containers['createExec']>[1]) =>
      execs.create(index.resolve(spelled), options, spelled),
    startExec: (id: string, attach?: Parameters<Containers['startExec']>[1]) => execs.start(id, attach),
    joinExec: (id: string, options: AttachOptions, listener: AttachListener) => execs.join(id, options, listener),
    resizeExec: async (id: string, cols: number, rows: number) => execs.resize(id, cols, rows),
    inspectExec: (id: string) => execs.inspect(id),
    listExecs: (spelled?: string) => execs.list(spelled === undefined ? undefined : index.resolve(spelled).id),
    killExec: async (id: string, signal: string) => execs.kill(id, signal),
    waitExec: async (id: string, signal?: AbortSignal) => execs.wait(id, signal),
    shells: async (spelled: string) => files.shellsOf(context, index.resolve(spelled)),
  }
}

function fileVerbs(context: Context) {
  const { index } = context
  return {
    async export(spelled: string, signal?: AbortSignal) {
      return files.exportRoot(context, index.resolve(spelled), signal)
    },
    statPath: async (spelled: string, path: string) => files.statPath(context, index.resolve(spelled), path),
    getArchive: async (spelled: string, path: string, options: { follow?: boolean } = {}, signal?: AbortSignal) =>
      files.getArchive(context, index.resolve(spelled), path, options, signal),
    async putArchive(spelled: string, path: string, archive: NodeJS.ReadableStream, options: Parameters<Containers['putArchive']>[3]) {
      const container = index.resolve(spelled)
      await files.putArchive(context, container, path, archive, options)
      context.tell(container, 'extract-to-dir')
    },
    listFiles: async (spelled: string, path: string, limit: number) => files.listFiles(context, index.resolve(spelled), path, limit),
    makeDirectory: async (spelled: string, path: string) => files.makeDirectory(context, index.resolve(spelled), path),
    removeFile: async (spelled: string, path: string) => files.removeFile(context, index.resolve(spelled), path),
    renameFile: async (spelled: string, from: string, to: string) => files.renameFile(context, index.resolve(spelled), from, to),
  }
}
