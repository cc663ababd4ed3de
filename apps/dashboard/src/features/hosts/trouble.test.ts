import type { ContainerSummary } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { troubleOf } from './trouble'

const container = (state: Partial<ContainerSummary['state']>) =>
  ({
    state: { status: 'exited', exitCode: 0, oomKilled: false, error: '', health: 'none', startedAt: null, finishedAt: 'then', ...state },
  }) as ContainerSummary

describe('troubleOf', () => {
  it('finds what needs eyes', () => {
    expect(troubleOf(container({ exitCode: 3 }))).toEqual({ kind: 'failed', since: 'then' })
    expect(troubleOf(container({ exitCode: 137, oomKilled: true }))?.kind).toBe('oom')
    expect(troubleOf(container({ status: 'restarting' }))?.kind).toBe('looping')
    expect(troubleOf(container({ status: 'created', error: 'no such file' }))?.kind).toBe('error')
    expect(troubleOf(container({ status: 'running', health: 'unhealthy' }))?.kind).toBe('unhealthy')
  })
  it('leaves alone what ended well or was ended by somebody', () => {
    for (const exitCode of [0, 130, 137, 143]) expect(troubleOf(container({ exitCode }))).toBeNull()
    expect(troubleOf(container({ status: 'running', health: 'healthy' }))).toBeNull()
    expect(troubleOf(container({ status: 'created' }))).toBeNull()
    expect(troubleOf(container({ status: 'paused' }))).toBeNull()
  })
})
