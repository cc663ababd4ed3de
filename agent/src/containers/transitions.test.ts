import type { ContainerStatus } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { type Change, check } from './transitions.ts'

const id = 'f'.repeat(64)
const verdict = (change: Change, status: ContainerStatus) => {
  try {
    return check(change, { id, spelled: 'web', status })
  } catch (error) {
    return (error as Error).message
  }
}

describe('check', () => {
  it('says what Docker says', () => {
    expect(verdict('start', 'exited')).toBe('go')
    expect(verdict('start', 'running')).toBe('no-op')
    expect(verdict('start', 'paused')).toBe('cannot start a paused container, try unpause instead')
    expect(verdict('stop', 'exited')).toBe('no-op')
    expect(verdict('kill', 'exited')).toBe(`Cannot kill container: web: Container ${id} is not running`)
    expect(verdict('remove', 'running')).toMatch(/^You cannot remove a running container/)
    expect(verdict('remove', 'exited')).toBe('go')
    expect(verdict('pause', 'paused')).toBe(`Container ${id} is already paused`)
    expect(verdict('unpause', 'running')).toBe(`Container ${id} is not paused`)
    expect(verdict('exec', 'paused')).toContain('unpause the container before exec')
    expect(verdict('exec', 'restarting')).toContain('is restarting')
    expect(verdict('start', 'removing')).toContain('marked for removal')
  })

  it('has an answer for every change in every status', () => {
    const changes: Change[] = ['start', 'stop', 'kill', 'pause', 'unpause', 'remove', 'exec', 'top', 'attach', 'update', 'rename']
    const statuses: ContainerStatus[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
    for (const change of changes) for (const status of statuses) expect(typeof verdict(change, status)).toBe('string')
  })
})
