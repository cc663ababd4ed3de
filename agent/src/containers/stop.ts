/** Ending a container's process: kill, stop (signal, wait, KILL), pause. */
import { EngineError } from '../errors.ts'
import { afterLong } from '../events/long-timer.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { signalNumber } from './signals.ts'
import { check } from './transitions.ts'

const defaultTimeoutSeconds = 10
const sigkill = 9

/** @throws EngineError failed_precondition, invalid_argument */
export async function killContainer(context: Context, container: Container, signal: string, spelled: string): Promise<void> {
  const number = signalNumber(signal || 'KILL')
  await startSettled(container)
  check('kill', { id: container.id, spelled, status: container.status })
  if (container.restartTimer) {
    container.cancelRestart()
    container.exited({ exitCode: container.record.state.exitCode, error: '' })
    return
  }
  // As Docker: KILL and the container's own stop signal are meant to end it for good.
  if (number === sigkill || number === signalNumber(container.record.effective.stopSignal)) await markStopped(context, container)
  if (number === sigkill && container.record.state.paused) await thaw(context, container)
  container.task?.signal(number)
  context.tell(container, 'kill', { signal: String(number) })
}

/**
 * Signal, wait, KILL. Does not hold the container's turn while it waits: the end itself needs it.
 * @returns false when it did not run
 */
export async function stopContainer(
  context: Context,
  container: Container,
  options: { timeoutSeconds?: number | null; signal?: string; forRemoval?: boolean },
  spelled: string,
): Promise<boolean> {
  const number = signalNumber(options.signal || container.record.effective.stopSignal)
  const timeout = options.timeoutSeconds ?? container.record.options.stopTimeoutSeconds ?? defaultTimeoutSeconds
  await startSettled(container)
  if (check('stop', { id: container.id, spelled, status: container.status }) === 'no-op') return false
  if (container.restartTimer) {
    // Before anything is awaited: a restart that is due this very moment finds that it is not wanted.
    container.cancelRestart()
    await markStopped(context, container)
    container.exited({ exitCode: container.record.state.exitCode, error: '' })
    context.tell(container, 'stop')
    return true
  }
  await markStopped(context, container)
  const { task } = container
  if (!task) return false
  const over = container.wait('next-exit').then(() => true)
  if (container.record.state.paused) await thaw(context, container)
  // Also with no time to act on it, as Docker: a process that is quick enough makes use of it. What is removed by force is only killed.
  if (timeout !== 0 || !options.forRemoval) {
    task.signal(number)
    context.tell(container, 'kill', { signal: String(number) })
  }
  if (!(await within(over, timeout < 0 ? null : timeout * 1000))) {
    task.signal(sigkill)
    context.tell(container, 'kill', { signal: String(sigkill) })
    if (!(await within(over, 30_000)))
      throw new EngineError(
        'internal',
        `container ${container.name} did not end within 30 s of SIGKILL; a process of it hangs in the kernel`,
      )
  }
  // The clean-up of the end is the turn before this one.
  await container.inTurn(async () => {})
  if (!options.forRemoval) context.tell(container, 'stop')
  return true
}

/** A start that is under way says first how it went, or it would run on what is said meanwhile. */
async function startSettled(container: Container): Promise<void> {
  if (container.starting) await container.inTurn(async () => {})
}

/** A person's wish outlives the agent where a restart policy would otherwise undo it. */
async function markStopped(context: Context, container: Container): Promise<void> {
  container.stopRequested = true
  if (container.restarting || container.record.options.restart.name === 'no') return
  container.change({ manuallyStopped: true })
  await container.inTurn(() => (container.removing ? Promise.resolve() : context.store.save(container.record, true)))
}

/** true: it came in time. Null = wait for ever. */
async function within(promise: Promise<boolean>, timeoutMs: number | null): Promise<boolean> {
  if (timeoutMs === null) return promise
  let cancel = () => {}
  const late = new Promise<boolean>((resolve) => {
    cancel = afterLong(timeoutMs, () => resolve(false))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    cancel()
  }
}

/** Freezes every process of the container. The caller holds its turn. */
export async function pauseContainer(context: Context, container: Container, spelled: string): Promise<void> {
  check('pause', { id: container.id, spelled, status: container.status })
  await context.native.runtime(['pause', container.id])
  container.change({ paused: true })
  await context.store.save(container.record, false)
  context.tell(container, 'pause')
}

export async function unpauseContainer(context: Context, container: Container, spelled: string): Promise<void> {
  check('unpause', { id: container.id, spelled, status: container.status })
  await thaw(context, container)
  await context.store.save(container.record, false)
  context.tell(container, 'unpause')
}

async function thaw(context: Context, container: Container): Promise<void> {
  await context.native.runtime(['resume', container.id])
  container.change({ paused: false })
}

/** From the end of a container's process to the moment at which everybody knows of it. */
const endingMs = 5000

/** Runs `work` with a running container frozen, as it was before afterwards: a commit or export sees one moment. */
export async function whileFrozen<T>(context: Context, container: Container, freeze: boolean, work: () => Promise<T>): Promise<T> {
  if (!freeze || !container.task || container.record.state.paused) return work()
  try {
    await context.native.runtime(['pause', container.id])
  } catch (error) {
    // What ended in this very moment stands still, too.
    const ended = await container.wait('not-running', AbortSignal.timeout(endingMs)).catch(() => null)
    if (ended === null) throw error
    return work()
  }
  context.tell(container, 'pause')
  try {
    return await work()
  } finally {
    if (container.task) await thawAfter(context, container)
  }
}

/** Tried twice, because a container that stands still is worse than a commit that failed. If it stays frozen it is at least called so, and can be thawed by hand. */
async function thawAfter(context: Context, container: Container): Promise<void> {
  const resume = () => context.native.runtime(['resume', container.id])
  try {
    await resume().catch(resume)
    context.tell(container, 'unpause')
  } catch (error) {
    // What ended meanwhile needs no thawing.
    const ended = await container.wait('not-running', AbortSignal.timeout(endingMs)).catch(() => null)
    if (ended !== null || !container.task) return
    container.change({ paused: true })
    context.tell(container, 'pause')
    throw error
  }
}
