/** Pure: which change a container's status allows, in Docker's words. */
import type { ContainerStatus } from '@berth/contract/container'
import { EngineError } from '../errors.ts'

export type Change = 'start' | 'stop' | 'kill' | 'pause' | 'unpause' | 'remove' | 'exec' | 'top' | 'attach' | 'update' | 'rename'

export interface Subject {
  id: string
  /** As the user spelled it. */
  spelled: string
  status: ContainerStatus
}

/** `no-op`: it is so already (HTTP 304). */
export type Verdict = 'go' | 'no-op'

const running = new Set<ContainerStatus>(['running', 'paused', 'restarting'])

/** @throws EngineError failed_precondition with Docker's sentence when the status does not allow the change */
export function check(change: Change, subject: Subject): Verdict {
  const { id, status, spelled } = subject
  if (status === 'removing' || status === 'dead') return checkLeaving(change, subject)
  switch (change) {
    case 'start':
      if (status === 'paused') throw refuse('cannot start a paused container, try unpause instead')
      return status === 'running' ? 'no-op' : 'go'
    case 'stop':
      return running.has(status) ? 'go' : 'no-op'
    case 'kill':
      if (!running.has(status)) throw refuse(`Cannot kill container: ${spelled}: Container ${id} is not running`)
      return 'go'
    case 'pause':
      if (status === 'paused') throw refuse(`Container ${id} is already paused`)
      return live('pause', subject)
    case 'unpause':
      if (status !== 'paused') throw refuse(`Container ${id} is not paused`)
      return 'go'
    case 'remove':
      if (status === 'paused')
        throw refuse(
          `You cannot remove a paused container ${id}. Unpause and then stop the container before attempting removal or force remove`,
        )
      if (status === 'restarting' || status === 'running')
        throw refuse(`You cannot remove a ${status} container ${id}. Stop the container before attempting removal or force remove`)
      return 'go'
    case 'exec':
      if (status === 'paused') throw refuse(`Container ${spelled} is paused, unpause the container before exec`)
      return live('exec', subject)
    case 'top':
      return live('top', subject)
    case 'attach':
      if (status === 'paused') throw refuse('You cannot attach to a paused container, unpause it first')
      if (status === 'restarting') throw refuse('You cannot attach to a restarting container, wait until it is running')
      return 'go'
    case 'update':
    case 'rename':
      return 'go'
  }
}

function live(_change: Change, { id, status }: Subject): Verdict {
  if (status === 'restarting') throw refuse(`Container ${id} is restarting, wait until the container is running`)
  if (status !== 'running' && status !== 'paused') throw refuse(`Container ${id} is not running`)
  return 'go'
}

function checkLeaving(change: Change, { id, status, spelled }: Subject): Verdict {
  if (change === 'remove') {
    if (status === 'removing') throw refuse(`removal of container ${spelled} is already in progress`)
    return 'go'
  }
  if (change === 'stop') return 'no-op'
  if (change === 'start') throw refuse('container is marked for removal and cannot be started')
  if (change === 'kill') throw refuse(`Cannot kill container: ${spelled}: Container ${id} is not running`)
  if (change === 'update' || change === 'rename') throw refuse(`Container is marked for removal and cannot be "${change}".`)
  throw refuse(`Container ${id} is not running`)
}

function refuse(message: string): EngineError {
  return new EngineError('failed_precondition', message)
}
