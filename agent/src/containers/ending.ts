/** What happens when a container's process has ended: its state, what it held, and whether it starts again. */
import { rm } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import type { Ending, Exit, Task } from '../tasks/tasks.ts'
import { type Container, endedState, exitOf } from './container.ts'
import type { Context } from './context.ts'
import { removeContainer } from './remove.ts'
import { nextRestart } from './restart-policy.ts'
import { releaseShm } from './shm.ts'
import { releaseSubpaths } from './subpaths.ts'
import { tellVolumes } from './volume-events.ts'

/** Listens to a task until it ends. */
export function watchTask(context: Context, container: Container, task: Task): void {
  task.onOom(() => {
    if (container.oomSeen) return
    container.oomSeen = true
    context.tell(container, 'oom')
  })
  void task.ended
    .then((ending) => ended(context, container, task, ending))
    .catch((error) => context.log.error({ id: container.id, reason: messageOf(error) }, "a container's end could not be dealt with"))
}

async function ended(context: Context, container: Container, task: Task, ending: Ending): Promise<void> {
  if (context.closed || container.task !== task) return
  const exit = exitOf(ending, task.startedAt)
  const ranMs = container.ranMs()
  const wasStopped = container.stopRequested
  container.stopHealth?.()
  container.task = null
  container.change({ ...endedState(exit), ...('lost' in ending ? { error: ending.lost } : {}) })
  if (exit.oomKilled && !container.oomSeen) context.tell(container, 'oom')
  context.tell(container, 'die', dieAttributes(exit, ranMs))
  const delay = context.closed ? null : restartDelay(container, exit, wasStopped, ranMs)
  // In the same breath as the end, so that nobody sees it stopped in between.
  if (delay !== null) scheduleRestart(context, container, delay)
  // Before the clean-up: who waits for the exit need not wait for that; who starts or removes it takes a later turn.
  const cleaned = container.inTurn(() => giveBack(context, container, 'lost' in ending))
  container.exited({ exitCode: exit.exitCode, error: container.record.state.error })
  await cleaned
  if (container.record.options.autoRemove && delay === null && !container.restarting && !context.closed)
    await container
      .inTurn(() => removeContainer(context, container, { force: true, volumes: true }))
      .catch((error) => {
        context.log.error({ id: container.id, reason: messageOf(error) }, 'a container could not be removed after its end (--rm)')
      })
}

/** @param ranMs how long it ran; by the exit's own times where nobody measured it */
export function dieAttributes(exit: Exit, ranMs = Date.parse(exit.exitedAt) - Date.parse(exit.startedAt)): Record<string, string> {
  const ran = Math.max(0, Math.round(ranMs / 1000))
  return { exitCode: String(exit.exitCode), execDuration: String(Number.isFinite(ran) ? ran : 0) }
}

function restartDelay(container: Container, exit: Exit, wasStopped: boolean, ranMs: number): number | null {
  const { options, state } = container.record
  if (container.restarting) return null
  return nextRestart(
    options.restart,
    { count: state.restartCount, lastDelayMs: container.lastRestartDelayMs },
    {
      exitCode: exit.exitCode,
      ranMs,
      manuallyStopped: wasStopped || state.manuallyStopped,
    },
  )
}

/** Starts it again after the delay, unless somebody stops, starts or removes it before. */
export function scheduleRestart(context: Context, container: Container, delayMs: number): void {
  container.lastRestartDelayMs = delayMs
  const timer = setTimeout(() => {
    void container.inTurn(async () => {
      if (container.restartTimer !== timer || context.closed || container.removing) return
      container.restartTimer = null
      container.change({ restartCount: container.record.state.restartCount + 1 })
      try {
        await context.start(container)
      } catch (error) {
        context.log.warn({ id: container.id, reason: messageOf(error) }, 'a restart failed')
        const state = container.record.state
        const next = nextRestart(
          container.record.options.restart,
          { count: state.restartCount, lastDelayMs: delayMs },
          { exitCode: state.exitCode || 1, ranMs: 0, manuallyStopped: state.manuallyStopped },
        )
        if (next === null) container.exited({ exitCode: state.exitCode, error: state.error })
        else scheduleRestart(context, container, next)
      }
    })
  }, delayMs)
  container.restartTimer = timer
}

/** Gives back what the run held. Each part on its own: one that fails is named in the log and looked at again at the next boot. */
export async function giveBack(context: Context, container: Container, lost: boolean): Promise<void> {
  const { id } = container
  if (container.task) return
  container.lease = null
  const attempt = (what: string, work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      (error) => {
        context.log.error({ id, reason: messageOf(error) }, `${what} of an ended container could not be given back`)
        return false
      },
    )
  tellVolumes(context, container, 'unmount')
  if (lost) {
    await attempt('the process', context.native.runtime(['delete', '--force', id]).catch(ignoreMissing))
    await attempt('the process', context.tasks.endLost(id, context.paths.cgroup(id, container.record.options.cgroupParent)))
  }
  const [saved] = await Promise.all([
    // exit.json tells the same to the next boot, so this need not reach the disk at once.
    attempt('the record', container.removing ? Promise.resolve() : context.store.save(container.record, false)),
    attempt('the network', context.networks.release(id)),
    attempt('shared memory', releaseShm(context, id)),
    attempt('parts of volumes', releaseSubpaths(context, id)),
  ])
  // On a full disk the run directory holds the only exit.json there is.
  if (saved) await attempt('the run directory', rm(context.paths.run(id), { recursive: true, force: true }))
}

function ignoreMissing(error: unknown): void {
  if ((error as { code?: string }).code !== 'not_found') throw error
}
