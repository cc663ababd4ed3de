/** An engine with its Docker socket, and other people's clients pointed at it. */
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { serveEngineApi } from '../src/engine-api/server.ts'
import { createLogger } from '../src/log.ts'
import { openTestEngine, type TestEngine, testConfig } from './engine.ts'
import { busyboxImage, type TestImage } from './images.ts'

export interface Outcome {
  stdout: string
  stderr: string
  status: number
}

export interface DockerHost {
  engine: TestEngine
  /** Path of the socket. */
  socket: string
  /** A shell script in which `docker` and `docker-compose` talk to the engine. Never rejects for its exit status. */
  sh(script: string, options?: { input?: string; cwd?: string; timeoutMs?: number }): Promise<Outcome>
  close(): Promise<void>
}

/** The `bb:1` image is busybox; `images` come on top. */
export async function openDockerHost(images: Record<string, TestImage> = {}): Promise<DockerHost> {
  const config = testConfig()
  const engine = await openTestEngine(config, { 'bb:1': busyboxImage(), ...images })
  const door = await serveEngineApi(engine, createLogger(process.env.BERTH_TEST_LOG ?? 'silent'), config.dockerSocket, null)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: config.runRoot,
    DOCKER_HOST: `unix://${config.dockerSocket}`,
    DOCKER_BUILDKIT: '0',
    LANG: 'C.UTF-8',
  }
  return {
    engine,
    socket: config.dockerSocket,
    sh: (script, { input, cwd, timeoutMs = 40_000 } = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          'bash',
          ['-c', script],
          { env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 },
          (error, stdout, stderr) => {
            const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
            resolve({ stdout, stderr, status })
          },
        )
        child.stdin?.on('error', () => {})
        child.stdin?.end(input ?? '')
      }),
    async close() {
      await door.close()
      await engine.destroy()
    },
  }
}

/** What a script prints and how it ends; `stderr` is a part that must be there. */
export interface Case {
  about: string
  script: string
  stdout?: string | RegExp
  stderr?: string | RegExp
  status?: number
  input?: string
}

/** One test a case, against the engine that `host` gives by then. */
export function checkCases(host: () => DockerHost, cases: Case[]): void {
  it.each(cases)('$about', async ({ script, stdout, stderr, status = 0, input }) => {
    const outcome = await host().sh(script, { input })
    const shown = { ...outcome, script }
    if (typeof stdout === 'string') expect(outcome.stdout, JSON.stringify(shown)).toBe(stdout)
    else if (stdout) expect(outcome.stdout, JSON.stringify(shown)).toMatch(stdout)
    if (stderr) expect(outcome.stderr, JSON.stringify(shown)).toMatch(stderr)
    expect(outcome.status, JSON.stringify(shown)).toBe(status)
  })
}

/** One engine for a test file, opened before its first test and closed after its last; `check` makes a test of each case. */
export function dockerSuite(): { host: () => DockerHost; check: (cases: Case[]) => void } {
  let opened: DockerHost | undefined
  const host = () => {
    if (!opened) throw new Error('the engine is opened before the first test, not before the file is read')
    return opened
  }
  beforeAll(async () => {
    opened = await openDockerHost()
  })
  afterAll(async () => {
    await opened?.close()
  })
  return { host, check: (cases) => checkCases(host, cases) }
}
