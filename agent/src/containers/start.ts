/**
 * From record to running process. The record claims `running` on disk before the process can run (written while the monitor works), so that whatever
 * happens next, the following boot looks for it.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { diskError } from '../disk/files.ts'
import { messageOf, StartError } from '../errors.ts'
import type { MonitorDocument } from '../native/monitor-document.ts'
import type { NetworkLease } from '../networks/networks.ts'
import type { Task } from '../tasks/tasks.ts'
import { requireBindSource } from './bind-sources.ts'
import { parseLogOptions } from './check-options.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { watchTask } from './ending.ts'
import { gatherDevices, gatherRates } from './gather-devices.ts'
import { startHealth } from './health.ts'
import { joinedNamespaces } from './joined-namespaces.ts'
import { linkedEnvironment, onDefaultBridge } from './links.ts'
import { networkFiles } from './network-files.ts'
import { checkPropagation, maskedRootPropagation } from './propagation.ts'
import { publishedPorts } from './published-ports.ts'
import type { RecordedMount } from './record.ts'
import { runtimeJson } from './runtime-json.ts'
import { parseSecurityOptions } from './security-options.ts'
import { settleAll } from './settle-all.ts'
import { prepareShm, releaseShm } from './shm.ts'
import { buildSpec } from './spec.ts'
import { bindSubpath, releaseSubpaths } from './subpaths.ts'
import { createdSize } from './terminal-size.ts'
import { Undo } from './undo.ts'
import { userOf } from './user-of.ts'
import { tellVolumes } from './volume-events.ts'

const sigkill = 9

/** The caller holds the container's turn and has checked its status. On failure the container is as before, with the reason in its state. */
export async function startContainer(context: Context, container: Container): Promise<void> {
  const undo = new Undo()
  container.starting = true
  container.cancelRestart()
  try {
    const document = await prepare(context, container, undo)
    container.change({
      status: 'running',
      paused: false,
      bootId: context.host.bootId,
      error: '',
      errorStep: undefined,
      manuallyStopped: false,
      oomKilled: false,
    })
    // Beside the spawn, not before it: both must have succeeded before anyone is told.
    const starting = context.tasks.start(document, container.viewers)
    undo.push(() => endUnwanted(starting))
    const [task] = await settleAll([starting, context.store.save(container.record, true)])
    container.viewers = []
    tellVolumes(context, container, 'mount')
    container.begin(task)
    container.stopRequested = false
    container.oomSeen = false
    container.change({ startedAt: task.startedAt, finishedAt: container.record.state.finishedAt, exitCode: 0, signal: null })
    context.tell(container, 'start')
    startHealth(context, container)
    watchTask(context, container, task)
  } catch (error) {
    await undo.run(context.log)
    const reason = diskError(error, context.paths.directory(container.id))
    await failed(context, container, reason)
    throw reason
  } finally {
    container.starting = false
  }
}

/** The process runs, but its record could not be written: nobody would look for it after a crash, so it must not go on. */
async function endUnwanted(starting: Promise<Task>): Promise<void> {
  const task = await starting.catch(() => null)
  if (!task) return
  task.signal(sigkill)
  await task.ended
}

/** State after a start that did not succeed: Docker's exit codes, and the sentence for `inspect`. */
async function failed(context: Context, container: Container, error: unknown): Promise<void> {
  const exitCode = error instanceof StartError ? (error.exitStatus ?? 128) : 128
  const everRan = container.record.state.startedAt !== null
  const errorStep = error instanceof StartError ? error.step : undefined
  container.change({ status: everRan ? 'exited' : 'created', exitCode, error: messageOf(error), errorStep, signal: null })
  await context.store.save(container.record, false).catch((problem) => {
    context.log.error({ id: container.id, reason: messageOf(problem) }, 'the reason of a failed start could not be written')
  })
}

async function prepare(context: Context, container: Container, undo: Undo): Promise<MonitorDocument> {
  const { record, id } = container
  const { options } = record
  const runDir = context.paths.run(id)
  const join = joinedNamespaces(context, container)
  undo.push(() => rm(runDir, { recursive: true, force: true }))
  await mkdir(runDir, { recursive: true, mode: 0o700 })
  undo.push(async () => {
    container.lease = null
    await context.networks.release(id)
  })
  const [lease, user, devices, rates, sources] = await settleAll([
    leaseNetworks(context, container),
    userOf(context, container),
    gatherDevices(options),
    gatherRates(options.limits),
    mountSources(context, container, undo),
  ])
  container.lease = lease
  await checkPropagation(sources)
  const files = await networkFiles(context, container, lease, join)
  undo.push(() => releaseShm(context, id))
  const shm = await prepareShm(context, container)
  const rootfs = context.paths.rootfs(id)
  const { idmap } = record
  const mapping = idmap
    ? { uid: [{ containerID: 0, hostID: idmap.uid, size: idmap.size }], gid: [{ containerID: 0, hostID: idmap.gid, size: idmap.size }] }
    : null
  const cgroup = context.paths.cgroup(id, options.cgroupParent)
  const size = container.viewers.map((viewer) => viewer.wantedSize).findLast((wanted) => wanted !== null) ?? createdSize(options)
  const spec = buildSpec({
    id,
    options,
    effective: record.effective,
    security: parseSecurityOptions(options.securityOpt, context.host.apparmor),
    host: context.host,
    user,
    size,
    linkedEnv: linkedEnvironment(context, container),
    rootfs,
    mounts: { placed: sources, files, init: context.native.paths.init, shm, rootPropagation: maskedRootPropagation(sources) },
    devices,
    rates,
    join,
    cgroupsPath: cgroup,
    idmap: mapping,
  })
  await settleAll([
    writeFile(`${runDir}/config.json`, runtimeJson(spec), { mode: 0o600 }),
    writeFile(`${runDir}/lease.json`, JSON.stringify({ lease, user }), { mode: 0o600 }),
  ])
  return {
    version: 1,
    kind: 'container',
    id,
    containerId: id,
    runtime: { path: context.native.paths.runtime, root: context.native.runtimeRoot, args: [] },
    bundle: runDir,
    stateDir: context.paths.directory(id),
    runDir,
    cgroup,
    rootfs: {
      mounts: context.snapshots.mounts(id, rootfs),
      ...(mapping ? { idmap: { uidMappings: mapping.uid, gidMappings: mapping.gid } } : {}),
    },
    terminal: options.terminal ? size : null,
    stdin: !options.openStdin ? 'closed' : options.stdinOnce ? 'once' : 'open',
    log: logOf(context, container),
    replayBytes: 256 * 1024,
    attachFds: [],
    ...(lease ? { network: lease.monitor } : {}),
    deleteOnExit: true,
  }
}

function logOf(context: Context, { id, record }: Container): MonitorDocument['log'] {
  const settings = parseLogOptions(record.options.log)
  if (!settings.enabled) return null
  return {
    dir: context.paths.logs(id),
    maxSizeBytes: settings.maxSizeBytes ?? context.config.logMaxSizeBytes,
    maxFiles: settings.maxFiles ?? (settings.maxSizeBytes === null ? context.config.logMaxFiles : 1),
  }
}

/** Addresses and ports of this run; null for host, none and another container's network. */
async function leaseNetworks(context: Context, { id, record }: Container): Promise<NetworkLease | null> {
  const { options, effective } = record
  const networks = Object.entries(record.networks).map(([network, config]) => ({ network, config }))
  if (networks.length === 0) return null
  return context.networks.lease({
    id,
    name: record.name,
    // Docker's /etc/hosts names a container with its domain first.
    hostname: options.domainname ? `${effective.hostname}.${options.domainname}` : effective.hostname,
    networks,
    ports: publishedPorts(record),
    mac: options.macAddress,
    dns: options.dns,
    dnsSearch: options.dnsSearch,
    dnsOptions: options.dnsOptions,
    links: (onDefaultBridge(options) ? options.links : []).map((link) => {
      const [name, alias] = link.split(':') as [string, string | undefined]
      return { name: context.index.resolve(name).name, alias: alias ?? name }
    }),
  })
}

/** Volumes may be mounts of their own that must be made first; binds are where they were. */
async function mountSources(context: Context, { id, record }: Container, undo: Undo) {
  if (record.mounts.some(({ subpath }) => subpath !== '')) undo.push(() => releaseSubpaths(context, id))
  return settleAll(
    record.mounts.map(async (mount, number) => ({
      type: mount.type,
      source: mount.type === 'volume' ? await volumeSource(context, id, mount, number) : boundSource(context, mount),
      destination: mount.destination,
      readOnly: mount.readOnly,
      propagation: mount.propagation,
      nonRecursive: mount.nonRecursive,
      tmpfsOptions: mount.tmpfsOptions,
    })),
  )
}

async function volumeSource(context: Context, id: string, { name, subpath }: RecordedMount, number: number): Promise<string> {
  const root = await context.volumes.mountpoint(name)
  return subpath === '' ? root : bindSubpath(context, id, number, { name, root, subpath })
}

/** A directory that the policy allowed at creation may have become a link since: what it leads to now must be allowed too. */
function boundSource({ config: { policy } }: Context, { type, source }: RecordedMount): string {
  return type === 'bind' && policy.bindSources !== null ? requireBindSource(source, policy.bindSources) : source
}
