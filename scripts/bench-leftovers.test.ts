import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimDirectory, deserted } from './bench-leftovers.ts'

describe('what killed benchmarks left', () => {
  let parent = ''
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'berth-leftovers-'))
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  it('is what carries the number of a process that is gone, and nothing else', () => {
    const names = ['bu12', 'bu13', `bu${process.pid}`, 'bu', 'bu12x', 'bubench0', 'xbu12', 'docker0']
    expect(deserted(names, 'bu', (pid) => pid === 13)).toEqual(['bu12'])
  })

  it('goes with the server that still runs there, before the new run takes its place', async () => {
    const gone = spawn('true')
    await once(gone, 'exit')
    const left = join(parent, `run-${gone.pid}`)
    mkdirSync(left)
    writeFileSync(join(left, 'file'), '')
    const server = spawn('tail', ['-f', join(left, 'file')], { stdio: 'ignore' })
    await once(server, 'spawn')
    const ended = once(server, 'exit')
    const living = spawn('sleep', ['100'])
    try {
      const held = join(parent, `run-${living.pid}`)
      mkdirSync(held)
      expect(claimDirectory(parent, 'run-')).toBe(join(parent, `run-${process.pid}`))
      expect([existsSync(left), existsSync(held), existsSync(join(parent, `run-${process.pid}`))]).toEqual([false, true, true])
      expect((await ended)[1]).toBe('SIGTERM')
    } finally {
      living.kill()
      server.kill('SIGKILL')
    }
  })
})
