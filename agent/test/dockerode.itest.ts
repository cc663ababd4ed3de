/** dockerode, the library of most Node tools: streams demultiplexed by header, hijack, archives, stats, events. */
import { PassThrough, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import Docker from 'dockerode'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, openDockerHost } from './docker.ts'

let host: DockerHost
let docker: Docker
beforeAll(async () => {
  host = await openDockerHost()
  docker = new Docker({ socketPath: host.socket })
})
afterAll(async () => {
  await host?.close()
})

it('runs with its streams apart and its status', async () => {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const collected = Promise.all([text(out), text(err)])
  const [result] = (await docker.run('bb:1', ['sh', '-c', 'echo out; echo err >&2; exit 3'], [out, err], {
    Tty: false,
    HostConfig: { AutoRemove: true },
  })) as [{ StatusCode: number }]
  out.end()
  err.end()
  expect(result.StatusCode).toBe(3)
  expect(await collected).toEqual(['out\n', 'err\n'])
})

it('attaches with hijack, writes, half-closes and reads to the end', async () => {
  const container = await docker.createContainer({
    Image: 'bb:1',
    Cmd: ['sh', '-c', 'cat; echo end'],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    Tty: false,
  })
  try {
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
    const out = new PassThrough()
    container.modem.demuxStream(stream, out, out)
    stream.once('end', () => out.end())
    await container.start()
    stream.write('typed\n')
    stream.end()
    expect(await text(out)).toBe('typed\nend\n')
    expect(await container.wait()).toEqual({ StatusCode: 0 })
  } finally {
    await container.remove({ force: true })
  }
})

it('executes, inspects, follows logs and stats, copies archives', async () => {
  const container = await docker.createContainer({ Image: 'bb:1', Cmd: ['sh', '-c', 'echo begun; sleep 100'] })
  try {
    await container.start()
    const exec = await container.exec({ Cmd: ['sh', '-c', 'cat > /tmp/x; exit 4'], AttachStdin: true, AttachStdout: true })
    const stream = await exec.start({ hijack: true, stdin: true })
    stream.end('bytes')
    await new Promise((resolve) => stream.once('close', resolve).resume())
    expect((await exec.inspect()).ExitCode).toBe(4)
    const archive = (await container.getArchive({ path: '/tmp/x' })) as Readable
    expect((await text(archive)).includes('bytes')).toBe(true)
    expect((await container.logs({ stdout: true, stderr: true })).toString()).toContain('begun')
    const stats = (await container.stats({ stream: false })) as unknown as {
      cpu_stats: { online_cpus: number }
      memory_stats: { usage: number }
    }
    expect(stats.cpu_stats.online_cpus).toBeGreaterThan(0)
    expect(stats.memory_stats.usage).toBeGreaterThan(0)
    const top = (await container.top()) as { Titles: string[]; Processes: string[][] }
    expect(top.Titles).toContain('PID')
    expect(top.Processes.length).toBeGreaterThan(0)
  } finally {
    await container.remove({ force: true })
  }
  await expect(container.inspect()).rejects.toMatchObject({ statusCode: 404 })
})

it('hears events as they happen', async () => {
  const events = (await docker.getEvents({ filters: { type: ['container'] } })) as Readable
  const seen: string[] = []
  events.on('data', (line: Buffer) => seen.push(...line.toString().trim().split('\n')))
  await docker.run('bb:1', ['true'], new PassThrough(), { HostConfig: { AutoRemove: true } })
  for (let tries = 0; tries < 100 && !seen.some((line) => line.includes('"destroy"')); tries++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  events.destroy()
  const actions = seen.map((line) => (JSON.parse(line) as { Action: string }).Action)
  expect(actions.filter((action) => ['create', 'start', 'die', 'destroy'].includes(action))).toEqual(['create', 'start', 'die', 'destroy'])
})

it('makes and removes networks and volumes', async () => {
  const network = await docker.createNetwork({ Name: 'dn', Labels: { a: 'b' } })
  expect((await docker.listNetworks({ filters: { label: ['a=b'] } })).map((one) => one.Name)).toEqual(['dn'])
  await network.remove()
  await docker.createVolume({ Name: 'dv' })
  expect((await docker.listVolumes({ filters: { name: ['dv'] } })).Volumes.map((one) => one.Name)).toEqual(['dv'])
  await docker.getVolume('dv').remove()
  expect((await docker.info()).Driver).toBe('overlay2')
})
