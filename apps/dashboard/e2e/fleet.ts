import { execFileSync } from 'node:child_process'
import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test'
import { readEnvironment } from './environment-file.ts'

/** `docker` against one of the two agents: the second door through which a spec looks at what the page has done. */
export function docker(agent: 0 | 1, ...args: string[]): string {
  return execFileSync('docker', ['-H', readEnvironment().agents[agent]?.dockerHost as string, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}

/** The same, for commands that may fail. */
export function tryDocker(agent: 0 | 1, ...args: string[]): void {
  try {
    docker(agent, ...args)
  } catch {
    // It was not there.
  }
}

/** Kills one of the environment's programs, without a chance to say good-bye; kept when it runs again. */
export async function kill(name: 'agent-a' | 'agent-b' | 'dashboard'): Promise<void> {
  const before = readEnvironment().pids[name] as number
  process.kill(before, 'SIGKILL')
  await expect.poll(() => readEnvironment().pids[name], { timeout: 30_000 }).not.toBe(before)
}

interface Host {
  id: string
  name: string
}

/** One of the dashboard's own procedures, with the session of the page. */
export async function ask<T>(page: Page, procedure: string, input?: unknown): Promise<T> {
  const url = `${readEnvironment().url}/api/trpc/${procedure}`
  const answer =
    input === undefined
      ? await page.request.get(url)
      : await page.request.post(url, { data: input, headers: { origin: readEnvironment().url } })
  expect(answer.status(), `${procedure} answers`).toBe(200)
  return ((await answer.json()) as { result: { data: T } }).result.data
}

/** The enrolled hosts: the one that enrolled itself, and the second agent, which joins here if it has not yet. */
export async function hostsOf(page: Page): Promise<{ first: Host; second: Host }> {
  const { agents } = readEnvironment()
  let hosts = await ask<Host[]>(page, 'hosts.list')
  if (!hosts.some((host) => host.name === 'second')) {
    const join = await ask<{ token: string; fingerprint: string }>(page, 'hosts.prepareJoin', { name: 'second' })
    const second = agents[1]
    if (!second) throw new Error('the environment has no second agent')
    const url = readEnvironment().url.replace('http:', 'https:')
    execFileSync(process.execPath, [second.program, 'join', url, '--token', join.token, '--fingerprint', join.fingerprint], {
      env: { ...process.env, ...second.env },
      stdio: 'pipe',
    })
    await expect
      .poll(async () => (await ask<(Host & { state: string })[]>(page, 'hosts.list')).find((host) => host.name === 'second')?.state, {
        timeout: 30_000,
      })
      .toBe('online')
    hosts = await ask<Host[]>(page, 'hosts.list')
  }
  const second = hosts.find((host) => host.name === 'second') as Host
  const first = hosts.find((host) => host.name !== 'second') as Host
  return { first, second }
}

/** A container that writes what real programs write: JSON, logfmt, plain words, stderr, and ends when it is asked to. Returns its id. */
export function runChatty(agent: 0 | 1, name: string, ...options: string[]): string {
  tryDocker(agent, 'rm', '-fv', name)
  const script =
    'trap "exit 0" TERM; i=0; while true; do i=$((i+1)); echo "{\\"level\\":\\"info\\",\\"msg\\":\\"request $i served\\",\\"ms\\":12}"; echo "level=warn msg=\\"slow query $i\\"" >&2; echo "plain line $i"; sleep 0.5; done'
  return docker(agent, 'run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', script)
}

const password = 'correct horse battery staple'

/** Somebody else, made anew by invitation and signed in, in a browser context of their own. `grants`: roles on all hosts (`*`) or on one. */
export async function signInAs(
  browser: Browser,
  name: string,
  grants: readonly { scope: string; role: 'viewer' | 'operator' | 'developer' | 'admin' }[],
): Promise<{ context: BrowserContext; page: Page; email: string; password: string }> {
  const { url } = readEnvironment()
  const email = `${name.toLowerCase()}@example.org`
  const admin = await browser.newPage()
  const known = (await ask<{ id: string; email: string }[]>(admin, 'people.list')).find((one) => one.email === email)
  if (known) await ask(admin, 'people.remove', { person: known.id })
  const invitation = await ask<{ url: string }>(admin, 'invitations.create', { email, grants, hours: 24 })
  await admin.close()
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } })
  const page = await context.newPage()
  const token = invitation.url.split('/').pop() as string
  const post = async (procedure: string, data: unknown) =>
    expect((await page.request.post(`${url}/api/trpc/${procedure}`, { data, headers: { origin: url } })).status(), procedure).toBe(200)
  await post('invitations.accept', { token, name, password })
  await post('session.signIn', { email, password })
  return { context, page, email, password }
}
