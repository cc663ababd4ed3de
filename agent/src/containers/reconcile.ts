/**
 * At boot: what the records claim, against what the machine shows. Containers that go on running are listened to again; exits that happened meanwhile are
 * taken from exit.json; lost ones are cleaned up; what an interrupted create or remove left goes; then the restart policies.
 */
import { rm } from 'node:fs/promises'
import { namesIn, readTextIfExists } from '../disk/files.ts'
import { messageOf } from '../errors.ts'
import type { NetworkLease } from '../networks/networks.ts'
import { Container, endedState, exitOf } from './container.ts'
import type { Context } from './context.ts'
import { dieAttributes, giveBack, scheduleRestart, watchTask } from './ending.ts'
import { keptHealth, startHealth } from './health.ts'
import { removeContainer } from './remove.ts'
import { startsAtBoot } from './restart-policy.ts'

const sigkill = 9

/** Reads the records and settles each container. Restart policies are applied afterwards by restartAtBoot. */
export async function reconcile(context: Context): Promise<Container[]> {
  const records = await context.store.load(context.log)
  const due: Container[] = []
  for (const record of records) context.index.add(new Container(record))
  await sweepOrphans(context)
  const runNames = new Set(await namesIn(context.paths.tasksRoot))
  for (const container of [...context.index.values()]) {
    try {
      if (await settle(context, container, runNames)) due.push(container)
    } catch (error) {
      context.log.error({ id: container.id, reason: messageOf(error) }, 'the state of a container could not be settled')
    }
  }
  const known = new Set([...context.index.values()].map(({ id }) => runNameOf(context, id)))
  for (const name of runNames) if (!known.has(name)) await rm(`${context.paths.tasksRoot}/${name}`, { recursive: true, force: true })
  return due
}

function runNameOf(context: Context, id: string): string {
  return context.paths.run(id).split('/').at(-1) as string
}

/** Directories, layers and leases without a record. */
async function sweepOrphans(context: Context): Promise<void> {
  const known = new Set([...context.index.values()].map(({ id }) => id))
  for (const id of await context.store.orphans(known)) {
    context.log.info({ id }, 'removing what an interrupted create or remove left')
    await context.native.runtime(['delete', '--force', id]).catch((error) => {
      if ((error as { code?: string }).code !== 'not_found')
        context.log.debug({ id, reason: messageOf(error) }, 'nothing to delete in the runtime')
    })
    try {
      await context.tasks.endLost(id, context.paths.cgroup(id, ''))
    } catch (error) {
      // What it runs on must stay; the next boot tries again.
      context.log.error({ id, reason: messageOf(error) }, 'what is left of a container could not be ended')
      continue
    }
    await context.networks.release(id)
    await context.snapshots.remove(id)
    await context.store.removeDirectory(id)
  }
}

/** @returns whether the restart policy wants it started */
async function settle(context: Context, container: Container, runNames: ReadonlySet<string>): Promise<boolean> {
  const { record, id } = container
  const rebooted = record.state.bootId !== context.host.bootId
  const directories = { runDir: context.paths.run(id), stateDir: context.paths.directory(id) }
  const claimsRunning = record.state.status === 'running'
  const hasRunDir = runNames.has(runNameOf(context, id))
  let found = claimsRunning || hasRunDir ? await context.tasks.find(id, directories) : null
  if (found && 'task' in found) {
    if (!record.transient) {
      await adopt(context, container, found.task, directories.runDir)
      return false
    }
    found.task.signal(sigkill)
    found = await found.task.ended
  }
  if (!claimsRunning && !hasRunDir && !record.transient) return startsAtBoot(record.options.restart, historyOf(container, false, rebooted))
  if (claimsRunning) {
    const exit = exitOf(found ?? { lost: '' }, record.state.startedAt ?? record.createdAt)
    container.change({
      ...endedState(exit),
      error: found && 'lost' in found ? found.lost : found ? '' : 'the machine or the monitor went down while it ran',
    })
    context.tell(container, 'die', dieAttributes(exit))
  }
  await giveBack(context, container, !found || 'lost' in found)
  await removeIdleRuntimeState(context, id)
  if (record.options.autoRemove || record.transient) {
    await removeContainer(context, container, { force: true, volumes: true })
    return false
  }
  return startsAtBoot(record.options.restart, historyOf(container, claimsRunning && (!found || 'lost' in found || rebooted), rebooted))
}

function historyOf(container: Container, wasRunning: boolean, rebooted: boolean) {
  const { state } = container.record
  return {
    wasRunning,
    rebooted,
    everStarted: state.startedAt !== null || wasRunning,
    manuallyStopped: state.manuallyStopped,
    exitCode: state.exitCode,
    restartCount: state.restartCount,
  }
}

/** What the runtime may still hold of a start that was cut off. */
async function removeIdleRuntimeState(context: Context, id: string): Promise<void> {
  await context.native.runtime(['delete', '--force', id]).catch((error) => {
    if ((error as { code?: string }).code !== 'not_found')
      context.log.debug({ id, reason: messageOf(error) }, 'nothing to delete in the runtime')
  })
}

async function adopt(context: Context, container: Container, task: NonNullable<Container['task']>, runDir: string): Promise<void> {
  const lease = parseLease(await readTextIfExists(`${runDir}/lease.json`))
  if (lease) context.networks.adopt(container.id, lease)
  container.lease = lease
  // All there is to go by is the wall clock; one that was set back since must not make it less than nothing.
  container.begin(task, Math.max(0, Date.now() - Date.parse(task.startedAt)))
  const paused = await isFrozen(context, container)
  container.change({ status: 'running', paused, startedAt: task.startedAt, bootId: context.host.bootId, error: '' })
  startHealth(context, container, await keptHealth(runDir))
  watchTask(context, container, task)
}

/** The kernel knows, whatever the record says: the agent may have been killed between the freezing and the writing. */
async function isFrozen(context: Context, { id, record }: Container): Promise<boolean> {
  const cgroup = context.paths.cgroup(id, record.options.cgroupParent)
  if (context.host.cgroupVersion === '2')
    return (await readTextIfExists(`/sys/fs/cgroup${cgroup}/cgroup.events`))?.includes('frozen 1') ?? false
  return (await readTextIfExists(`/sys/fs/cgroup/freezer${cgroup}/freezer.state`))?.startsWith('FR') ?? false
}

function parseLease(text: string | null): NetworkLease | null {
  try {
    return (JSON.parse(text ?? 'null') as { lease: NetworkLease | null } | null)?.lease ?? null
  } catch {
    return null
  }
}

/** Starts what the policies want, a few at a time. Failures are the containers' own, in their state. */
export async function restartAtBoot(context: Context, due: Container[]): Promise<void> {
  const lanes = 4
  const queue = [...due]
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let container = queue.shift(); container; container = queue.shift()) {
        const next = container
        await next
          .inTurn(async () => {
            if (next.running || next.removing || context.closed) return
            next.change({ manuallyStopped: false })
            await context.start(next)
          })
          .catch((error) => {
            context.log.warn({ id: next.id, reason: messageOf(error) }, 'a container could not be started at boot')
            const policy = next.record.options.restart
            if (policy.name !== 'no' && !context.closed) scheduleRestart(context, next, 1000)
          })
      }
    }),
  )
}
