import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { AgentInNamespace } from '../testing/agent-in-namespace.fixture.ts'
import { type Browser, openTestDashboard, setUp, type TestDashboard, until } from '../testing/dashboard.fixture.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** A machine that has never heard of Berth: a network of its own, nothing in /opt and /usr/local/bin, and no checkout in sight. */
const checkout = join(import.meta.dirname, '../../../../..')
let dashboard: TestDashboard
let admin: Browser
let machine: AgentInNamespace

beforeAll(async () => {
  dashboard = await openTestDashboard(undefined, { BERTH_HOST: '0.0.0.0' } as unknown as NodeJS.ProcessEnv)
  admin = await setUp(dashboard)
  machine = new AgentInNamespace(`p${randomBytes(2).toString('hex')}`, 9)
  const hidden = ['/opt', '/usr/local/bin', checkout, '/run/systemd'].map((path) => `[ ! -d ${path} ] || mount -t tmpfs tmpfs ${path}`)
  expect(await machine.shell(`set -e; ${hidden.join('; ')}`)).toEqual({ status: 0, text: '' })
})
afterAll(async () => {
  await machine?.destroy()
  await dashboard?.end()
})

/** What root types there; temporary files go where the test can see that none is left. */
const typed = (script: string) => machine.shell(`export TMPDIR=$BERTH_RUN/tmp; mkdir -p $TMPDIR; ${script}`)

/** The line that "Add a host" shows, by the address under which that machine sees this one. */
async function lineFor(input: object): Promise<string> {
  const { install, url } = (await admin.mutate('hosts.prepareJoin', input)).data as { install: string; url: string }
  return install.replaceAll(url, `https://${machine.gateway}:${dashboard.port}`)
}

it('installs nothing whose digest is not the one of the command, and leaves nothing', async () => {
  const line = (await lineFor({ name: 'fresh' })).replace(/echo "[0-9a-f]{64}/, `echo "${'0'.repeat(64)}`)
  const { text } = await typed(line)
  expect(text).toMatch(/FAILED/)
  expect(text).not.toContain('installing')
  expect((await typed('ls -A /opt /usr/local/bin $TMPDIR')).text).toBe(`/opt:\n\n${machine.runRoot}/tmp:\n\n/usr/local/bin:\n`)
})

it('hands the agent to nobody without a token that waits', async () => {
  const fetched = (headers: Record<string, string>) => admin.call('GET', '/api/agent', undefined, headers)
  expect(await fetched({})).toMatchObject({ status: 403, error: { code: 'permission_denied' } })
  expect(await fetched({ authorization: 'Bearer join_of-nobody-at-all' })).toMatchObject({ status: 403 })
  const { token, join: waiting } = (await admin.mutate('hosts.prepareJoin', {})).data as { token: string; join: { id: string } }
  expect(await fetched({ authorization: `Bearer ${token}` })).toMatchObject({ status: 200 })
  await admin.mutate('hosts.cancelJoin', { join: waiting.id })
  expect(await fetched({ authorization: `Bearer ${token}` })).toMatchObject({ status: 403 })
})

it('makes a bare machine a host that runs containers, with one line', async () => {
  const { status, text } = await typed(await lineFor({ name: 'fresh' }))
  expect(text).toContain('This host is now')
  expect(text).toContain('have its init run "/opt/berth-agent/scripts/berth-agent serve"')
  expect(status).toBe(0)
  expect((await typed('berth-agent --version; ls -A $TMPDIR')).text).toMatch(/^berth-agent \d+\.\d+\.\d+\n$/)

  machine.program = '/opt/berth-agent/agent/dist/berth-agent.js'
  await machine.start()
  const id = dashboard.rooms.hosts.list().find((host) => host.name === 'fresh')?.id as string
  await until(() => dashboard.rooms.links.find(id)?.state.state === 'online', 'the host to be online', 45_000)

  const docker = (...words: string[]) =>
    execFileSync('docker', ['-H', `unix://${machine.runRoot}/docker.sock`, ...words], { encoding: 'utf8', stdio: 'pipe' })
  // berth-unpack finds its library, the monitor and the runtime each other, the builder and tar-stream the bundle's chunks.
  execFileSync('sh', ['-c', `tar -cf - -C / bin/busybox | docker -H unix://${machine.runRoot}/docker.sock import - fresh:1`], {
    stdio: 'pipe',
  })
  expect(docker('run', '--rm', '--network', 'none', 'fresh:1', '/bin/busybox', 'echo', 'runs')).toBe('runs\n')
  const external = 'for (const name of ["node-pty", "re2-wasm", "undici", "tar-stream"]) await import(name)'
  expect(await machine.shell(`cd /opt/berth-agent/agent/dist && node --input-type=module -e '${external}'`)).toEqual({
    status: 0,
    text: '',
  })
})

it('upgrades by the same line: settings stay, a container runs on', async () => {
  const docker = (...words: string[]) =>
    execFileSync('docker', ['-H', `unix://${machine.runRoot}/docker.sock`, ...words], { encoding: 'utf8', stdio: 'pipe' }).trim()
  docker('run', '-d', '--name', 'stays', '--network', 'none', 'fresh:1', '/bin/busybox', 'sleep', '1000')
  await machine.shell('echo BERTH_LOG_LEVEL=debug >/opt/berth-agent/.env; touch /opt/berth-agent/of-the-old-version')
  const pid = docker('inspect', '-f', '{{.State.Pid}}', 'stays')
  const id = dashboard.rooms.hosts.list()[0]?.id as string
  expect((await typed(await lineFor({ host: id }))).text).toContain('The running agent listens')
  await machine.kill('SIGTERM')
  await machine.start()
  await until(() => dashboard.rooms.links.find(id)?.state.state === 'online', 'the host to be online again', 45_000)
  expect(docker('inspect', '-f', '{{.State.Pid}}', 'stays')).toBe(pid)
  expect((await machine.shell('cat /opt/berth-agent/.env; ls -A /opt; ls /opt/berth-agent/of-the-old-version')).text).toMatch(
    /^BERTH_LOG_LEVEL=debug\nberth-agent\nls: cannot access/,
  )
  docker('rm', '-f', 'stays')
})
