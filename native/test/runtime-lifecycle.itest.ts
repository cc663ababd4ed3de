// What the runtime-spec says about a container between create and delete beyond the usual course: hooks that fail late, a config.json that
// changes, values that are unknown or mean nothing.
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Config, eventually } from './runtime-harness.ts'
import { runtimeOfSuite } from './runtime-suite.ts'

const runtime = runtimeOfSuite()

describe('hooks that fail when the container is there', () => {
  const bear = (name: string, kind: 'poststart' | 'poststop', out: string) => {
    const bundle = runtime.bundle(name, ['sleep', '1000'], (config) => {
      config.hooks = { [kind]: [{ path: '/bin/false' }, { path: '/bin/sh', args: ['sh', '-c', `cat >> ${out}`] }] }
    })
    expect(runtime.call(['create', '--bundle', bundle, name])).toMatchObject({ status: 0, stderr: '' })
  }

  it('after its start stop it, and leave its record to be deleted', () => {
    const out = path.join(runtime.directory, 'poststart.out')
    bear('badly', 'poststart', out)
    expect(runtime.call(['start', 'badly'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('error running poststart hook #0:'),
    })
    expect(runtime.inspect('badly')).toMatchObject({ status: 'stopped', pid: 0 })
    expect(existsSync(out)).toBe(false)
    expect(runtime.call(['delete', 'badly'])).toMatchObject({ status: 0, stderr: '' })
  })

  it('after its end are told, and the others still run', () => {
    const out = path.join(runtime.directory, 'poststop.out')
    bear('ended', 'poststop', out)
    const deleted = runtime.call(['delete', '--force', 'ended'])
    expect(deleted).toMatchObject({ status: 0, stderr: expect.stringMatching(/level=warning.*poststop hook #0:/) })
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ id: 'ended', status: 'stopped' })
    // The same in the call that could not finish its create: nobody else would run them.
    const failed = runtime.run('unborn', ['true'], (config) => {
      const told = { path: '/bin/sh', args: ['sh', '-c', `echo unborn > ${out}`] }
      config.hooks = { createRuntime: [{ path: '/bin/false' }], poststop: [{ path: '/bin/false' }, told] }
    })
    expect(failed.stderr).toMatch(/level=warning.*poststop hook #0:[\s\S]*level=error.*createRuntime hook #0:/)
    expect(readFileSync(out, 'utf8')).toBe('unborn\n')
  })
})

describe('a container and its config.json', () => {
  it('have nothing to do with each other once it is created', async () => {
    const bundle = runtime.bundle('kept', ['touch', '/tmp/first'])
    expect(runtime.call(['create', '--bundle', bundle, 'kept'])).toMatchObject({ status: 0, stderr: '' })
    const before = runtime.inspect('kept')
    // Neither a new configuration nor another create of the same id reaches it.
    runtime.bundle('kept', ['touch', '/tmp/second'], (config) => {
      config.annotations = { 'org.example': 'new' }
    })
    expect(runtime.call(['create', '--bundle', bundle, 'kept'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('already exists'),
    })
    expect(runtime.inspect('kept')).toEqual(before)
    rmSync(path.join(bundle, 'config.json'))
    expect(runtime.call(['start', 'kept'])).toMatchObject({ status: 0, stderr: '' })
    await eventually(() => runtime.inspect('kept').status === 'stopped')
    const stopped = runtime.inspect('kept')
    expect(runtime.call(['kill', 'kept', 'KILL'])).toMatchObject({ status: 1, stderr: expect.stringContaining('not running') })
    expect(runtime.call(['start', 'kept']).status).toBe(1)
    expect(runtime.inspect('kept')).toEqual(stopped)
    expect(['first', 'second'].filter((name) => existsSync(path.join(runtime.rootfs, 'tmp', name)))).toEqual(['first'])
    expect(runtime.call(['delete', 'kept'])).toMatchObject({ status: 0, stderr: '' })
  })

  it('may hold what it does not know, but no value that means nothing', () => {
    const run = (edit: (config: Config & Record<string, unknown>) => void) =>
      runtime.run('values', ['true'], (config) => edit(config as Config & Record<string, unknown>))
    expect(run((config) => Object.assign(config, { unknown: 'x', annotations: { 'org.unknown': '' } }))).toMatchObject({
      status: 0,
      stderr: '',
    })
    symlinkSync('loop', path.join(runtime.rootfs, 'etc/loop'))
    for (const [words, edit] of [
      ['\\"invalid\\"', (config: Config) => (config.ociVersion = 'invalid')],
      ['\\"2.0.0\\"', (config: Config) => (config.ociVersion = '2.0.0')],
      ['RLIMIT_TEST', (config: Config) => (config.process.rlimits = [{ type: 'RLIMIT_TEST', soft: 1, hard: 1 }])],
      ['rootfsPropagation', (config: Config) => (config.linux.rootfsPropagation = 'bogus')],
      ['duplicated ns', (config: Config) => config.linux.namespaces.push({ type: 'pid' })],
      ['is not a network namespace', (config: Config) => (config.linux.namespaces[1] = { type: 'network', path: '/proc/self/ns/pid' })],
      ['symbolic links', (config: Config) => config.linux.maskedPaths?.push('/etc/loop')],
    ] as const) {
      expect(run(edit as (config: Config) => void)).toMatchObject({ status: 1, stderr: expect.stringContaining(words) })
    }
  })
})
