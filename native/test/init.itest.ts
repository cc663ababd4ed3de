// berth-init as PID 1 of a container: exit statuses, signals, orphans.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { type Config, eventually } from './runtime-harness.ts'
import { runtimeOfSuite } from './runtime-suite.ts'

const init = path.resolve(process.env.BERTH_INIT ?? path.join(import.meta.dirname, '../build/bin/berth-init'))
const runtime = runtimeOfSuite()

/** A build with sanitizers is dynamic: it brings the host's libraries along. Their leak check would want to trace PID 1. */
function withLibraries(config: Config): void {
  for (const directory of ['/lib64', '/lib/x86_64-linux-gnu'])
    config.mounts.push({ destination: directory, type: 'bind', source: realpathSync(directory), options: ['bind', 'ro'] })
  config.process.env.push('ASAN_OPTIONS=detect_leaks=0')
}

const withInit = (config: Config) => {
  if (process.env.BERTH_SANITIZER_REPORTS) withLibraries(config)
  config.mounts.push({ destination: '/sbin/berth-init', type: 'bind', source: init, options: ['bind', 'ro'] })
}
const run = (name: string, ...args: string[]) => runtime.run(name, ['/sbin/berth-init', '--', ...args], withInit)

it('exits as the command did', () => {
  expect(run('zero', 'sh', '-c', 'cat /proc/1/comm; echo $PPID')).toMatchObject({ status: 0, stdout: 'berth-init\n1\n' })
  expect(run('seven', 'sh', '-c', 'exit 7').status).toBe(7)
  expect(run('term', 'sh', '-c', 'kill -TERM $$').status).toBe(143)
  expect(run('kill', 'sh', '-c', 'kill -KILL $$').status).toBe(137)
  expect(run('absent', '/no/such').status).toBe(127)
  expect(run('denied', '/etc/passwd')).toMatchObject({ status: 126, stderr: expect.stringContaining('cannot run /etc/passwd') })
})

it('forwards signals', async () => {
  const script = 'trap "echo term > /tmp/got; exit 3" TERM; trap "echo usr1 > /tmp/usr1" USR1; echo > /tmp/ready; while :; do sleep 1; done'
  const file = (name: string) => path.join(runtime.rootfs, 'tmp', name)
  runtime.start('signals', withInit, ['/sbin/berth-init', 'sh', '-c', script])
  await eventually(() => existsSync(file('ready')))
  expect(runtime.call(['kill', 'signals', 'USR1']).status).toBe(0)
  await eventually(() => existsSync(file('usr1')))
  expect(runtime.call(['kill', 'signals', 'TERM']).status).toBe(0)
  await eventually(() => runtime.inspect('signals').status === 'stopped')
  expect(readFileSync(file('got'), 'utf8')).toBe('term\n')
  runtime.call(['delete', 'signals'])
})

it('reaps the orphans of the container', () => {
  const script =
    'i=0; while test $i -lt 20; do sh -c "sleep 0.1 & exit 0"; i=$((i+1)); done; sleep 1; grep -l "State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l'
  expect(run('orphans', 'sh', '-c', script)).toMatchObject({ status: 0, stdout: '0\n' })
})
