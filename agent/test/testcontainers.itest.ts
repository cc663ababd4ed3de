/**
 * Testcontainers, which test suites of other projects are written with. Its reaper (an image of its authors that removes what a killed test leaves) needs their
 * registry and is switched off; everything else is as people use it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type * as Library from 'testcontainers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, openDockerHost } from './docker.ts'

let host: DockerHost
let library: typeof Library
let directory: string
beforeAll(async () => {
  host = await openDockerHost()
  directory = mkdtempSync(join(tmpdir(), 'berth-testcontainers-'))
  process.env.DOCKER_HOST = `unix://${host.socket}`
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'
  process.env.TESTCONTAINERS_REUSE_ENABLE = 'true'
  // The library reads its settings when it is loaded.
  library = await import('testcontainers')
})
afterAll(async () => {
  await host?.close()
  rmSync(directory, { recursive: true, force: true })
})

const server = 'mkdir -p /www; echo served > /www/index.html; echo ready to serve; echo to-stderr >&2; exec httpd -f -p 8080 -h /www'
const get = async (container: Library.StartedTestContainer) =>
  (await fetch(`http://${container.getHost()}:${container.getMappedPort(8080)}/`)).text()

it('waits for ports, log lines, health and commands, and reads the published port at once', async () => {
  const { GenericContainer, Wait } = library
  const strategies = [
    Wait.forListeningPorts(),
    Wait.forLogMessage(/ready to .*/),
    Wait.forHealthCheck(),
    Wait.forSuccessfulCommand('test -f /www/index.html'),
    Wait.forHttp('/', 8080).forStatusCode(200),
    Wait.forAll([Wait.forLogMessage('ready to serve'), Wait.forListeningPorts()]),
  ]
  const started = await Promise.all(
    strategies.map((strategy) =>
      new GenericContainer('bb:1')
        .withCommand(['sh', '-c', server])
        .withExposedPorts(8080)
        .withHealthCheck({ test: ['CMD-SHELL', 'test -f /www/index.html'], interval: 300, timeout: 3000, retries: 20 })
        .withWaitStrategy(strategy)
        .start(),
    ),
  )
  for (const container of started) expect(await get(container)).toBe('served\n')
  expect(new Set(started.map((container) => container.getMappedPort(8080))).size).toBe(strategies.length)
  await Promise.all(started.map((container) => container.stop()))
  expect((await host.sh('docker ps -aq')).stdout).toBe('')
})

it('waits for a one-shot, and says when a container ends before it is ready', async () => {
  const { GenericContainer, Wait } = library
  const once = await new GenericContainer('bb:1').withCommand(['sh', '-c', 'exit 0']).withWaitStrategy(Wait.forOneShotStartup()).start()
  await once.stop()
  const never = new GenericContainer('bb:1').withCommand(['sh', '-c', 'exit 3']).withWaitStrategy(Wait.forLogMessage('never'))
  await expect(never.start()).rejects.toThrow(/never/)
  await host.sh('docker rm -f $(docker ps -aq)')
})

it('copies in and out, executes, follows logs, restarts, commits', async () => {
  const { GenericContainer, Wait } = library
  writeFileSync(join(directory, 'one'), 'from a file')
  const container = await new GenericContainer('bb:1')
    .withCommand(['sh', '-c', server])
    .withExposedPorts(8080)
    .withEnvironment({ GREETING: 'hello' })
    .withLabels({ 'org.example': 'yes' })
    .withTmpFs({ '/scratch': 'rw,size=1m' })
    .withUser('0')
    .withWorkingDir('/tmp')
    .withCopyFilesToContainer([{ source: join(directory, 'one'), target: '/in/one', mode: 0o640 }])
    .withCopyContentToContainer([{ content: 'from memory', target: '/in/two' }])
    .withCopyDirectoriesToContainer([{ source: directory, target: '/dir' }])
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  try {
    const shown = await container.exec(['sh', '-c', 'cat /in/one /in/two /dir/one; echo $GREETING; pwd; stat -c %a /in/one'])
    expect(shown).toMatchObject({ exitCode: 0, output: 'from a filefrom memoryfrom a filehello\n/tmp\n640\n' })
    const failed = await container.exec(['sh', '-c', 'echo $A; pwd; id -un; echo err >&2; exit 4'], {
      workingDir: '/in',
      env: { A: '1' },
      user: 'nobody',
    })
    expect(failed).toMatchObject({ exitCode: 4, stdout: '1\n/in\nnobody\n', stderr: 'err\n' })
    await container.copyContentToContainer([{ content: 'later', target: '/www/later' }])
    expect((await text((await container.copyArchiveFromContainer('/www/later')) as Readable)).includes('later')).toBe(true)

    const seen: string[] = []
    const logs = await container.logs()
    const both = new Promise<void>((resolve) => {
      logs.on('data', (line) => {
        seen.push(String(line))
        if (seen.join('').includes('ready to serve') && seen.join('').includes('to-stderr')) resolve()
      })
    })
    await both
    logs.destroy()

    await container.restart({ timeout: 0 })
    await expect.poll(() => get(container).catch(() => '')).toBe('served\n')
    const image = await container.commit({ repo: 'committed', tag: 'one', changes: ['LABEL made=by-test'], deleteOnExit: false })
    expect((await host.sh(`docker run --rm ${image} cat /www/later`)).stdout).toBe('later')
    expect(container.getLabels()).toMatchObject({ 'org.example': 'yes' })
    expect(container.getId()).toMatch(/^[0-9a-f]{64}$/)
  } finally {
    await container.stop({ timeout: 0 })
  }
})

it('joins networks with aliases', async () => {
  const { GenericContainer, Network } = library
  const network = await new Network().start()
  const web = await new GenericContainer('bb:1')
    .withCommand(['sh', '-c', server])
    .withExposedPorts(8080)
    .withNetwork(network)
    .withNetworkAliases('front', 'www')
    .start()
  const client = await new GenericContainer('bb:1').withCommand(['sleep', '1000']).withNetwork(network).start()
  try {
    for (const name of ['front', 'www']) expect((await client.exec(['wget', '-qO-', `http://${name}:8080/`])).stdout).toBe('served\n')
    expect(web.getNetworkNames()).toContain(network.getName())
    expect(web.getIpAddress(network.getName())).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  } finally {
    await Promise.all([web.stop({ timeout: 0 }), client.stop({ timeout: 0 })])
    await network.stop()
  }
})

it('builds from a Dockerfile with arguments, target and cache', async () => {
  const { GenericContainer } = library
  writeFileSync(
    join(directory, 'Dockerfile'),
    'FROM bb:1 AS first\nARG WHAT=nothing\nRUN echo $WHAT > /what\nCOPY one /one\nCMD ["sleep", "1000"]\nFROM first AS second\nRUN exit 1\n',
  )
  const builder = () => GenericContainer.fromDockerfile(directory).withBuildArgs({ WHAT: 'given' }).withTarget('first').withCache(true)
  const image = await builder().build('built:tc', { deleteOnExit: false })
  const container = await image.start()
  try {
    expect((await container.exec(['cat', '/what', '/one'])).stdout).toBe('given\nfrom a file')
  } finally {
    await container.stop({ timeout: 0 })
  }
  await expect(GenericContainer.fromDockerfile(directory).build('built:broken', { deleteOnExit: false })).rejects.toThrow()
})

it('finds a container again that was left for reuse', async () => {
  const { GenericContainer } = library
  const reusable = () => new GenericContainer('bb:1').withCommand(['sleep', '1000']).withReuse()
  const first = await reusable().start()
  const second = await reusable().start()
  expect(second.getId()).toBe(first.getId())
  await first.stop({ timeout: 0, remove: true })
  expect((await host.sh('docker ps -aq')).stdout).toBe('')
})
