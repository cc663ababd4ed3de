/** dockerode, the library of most Node tools: streams demultiplexed by header, hijack, archives, stats, events. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import Docker from 'dockerode'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, openDockerHost } from './docker.ts'
import { tinyTar } from './images.ts'
import { startRegistry } from './registry.ts'

let host: DockerHost
let docker: Docker
/** What the library has and its types leave out. */
let more: { getImages(options: { names: string[] }): Promise<unknown>; pruneBuilder(): Promise<unknown> }
beforeAll(async () => {
  host = await openDockerHost()
  docker = new Docker({ socketPath: host.socket })
  more = docker as unknown as typeof more
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
  await expect.poll(() => seen.some((line) => line.includes('"destroy"'))).toBe(true)
  events.destroy()
  const actions = seen.map((line) => (JSON.parse(line) as { Action: string }).Action)
  expect(actions.filter((action) => ['create', 'start', 'die', 'destroy'].includes(action))).toEqual(['create', 'start', 'die', 'destroy'])
})

it('makes and removes networks and volumes', async () => {
  const network = await docker.createNetwork({
    Name: 'dn',
    Labels: { a: 'b' },
    IPAM: { Config: [{ Subnet: '10.213.7.0/24', Gateway: '10.213.7.1' }] },
    CheckDuplicate: true,
  })
  expect((await docker.listNetworks({ filters: { label: ['a=b'] } })).map((one) => one.Name)).toEqual(['dn'])
  const container = await docker.createContainer({ Image: 'bb:1', Cmd: ['sleep', '100'], name: 'member' })
  try {
    await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['other'], IPAMConfig: { IPv4Address: '10.213.7.9' } } })
    await container.start()
    // What an endpoint stands in the way of is forbidden, as by Docker.
    await expect(network.connect({ Container: container.id })).rejects.toMatchObject({ statusCode: 403 })
    await expect(network.remove()).rejects.toMatchObject({ statusCode: 403 })
    const seen = (await network.inspect()) as { Containers: Record<string, { IPv4Address: string }>; IPAM: { Config: unknown[] } }
    expect(seen.Containers[container.id]?.IPv4Address).toBe('10.213.7.9/24')
    expect(seen.IPAM.Config).toEqual([expect.objectContaining({ Subnet: '10.213.7.0/24', Gateway: '10.213.7.1' })])
    await network.disconnect({ Container: container.id, Force: true })
  } finally {
    await container.remove({ force: true })
  }
  await network.remove()
  await docker.createVolume({ Name: 'dv', Labels: { of: 'test' } })
  expect((await docker.listVolumes({ filters: { name: ['dv'] } })).Volumes.map((one) => one.Name)).toEqual(['dv'])
  expect(await docker.getVolume('dv').inspect()).toMatchObject({ Name: 'dv', Driver: 'local', Scope: 'local', Labels: { of: 'test' } })
  await docker.getVolume('dv').remove()
  await expect(docker.getVolume('dv').inspect()).rejects.toMatchObject({ statusCode: 404 })
})

it('asks the engine about itself', async () => {
  expect((await docker.info()).Driver).toBe('overlay2')
  expect(await docker.version()).toMatchObject({ Os: 'linux', ApiVersion: expect.stringMatching(/^1\.\d+$/) })
  expect((await docker.ping()).toString()).toBe('OK')
  const usage = (await docker.df()) as { LayersSize: number; Images: { Id: string }[] }
  expect(usage.LayersSize).toBeGreaterThan(0)
  expect(usage.Images.length).toBeGreaterThan(0)
})

it('starts, stops, pauses, kills, renames, updates, resizes and waits', async () => {
  const container = await docker.createContainer({
    Image: 'bb:1',
    name: 'first-name',
    Cmd: ['sh', '-c', "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done"],
    Tty: true,
    Labels: { which: 'life' },
    HostConfig: { Memory: 64 << 20, Binds: ['life-data:/data'] },
  })
  const state = async () => (await container.inspect()).State
  try {
    await container.start()
    await expect(container.start()).rejects.toMatchObject({ statusCode: 304 })
    await container.resize({ h: 33, w: 99 })
    const exec = await container.exec({ Cmd: ['stty', 'size'], AttachStdout: true, Tty: true })
    const stream = await exec.start({ Tty: true, hijack: true })
    await exec.resize({ h: 10, w: 20 }).catch(() => {}) // it may have ended already
    stream.resume()
    await container.pause()
    expect((await state()).Paused).toBe(true)
    await container.unpause()
    await container.rename({ name: 'second-name' })
    expect((await docker.getContainer('second-name').inspect()).Name).toBe('/second-name')
    await container.update({
      Memory: 96 << 20,
      MemorySwap: -1,
      CpuShares: 512,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    })
    expect((await container.inspect()).HostConfig).toMatchObject({
      Memory: 96 << 20,
      CpuShares: 512,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    })
    expect((await docker.listContainers({ filters: { label: ['which=life'] } })).map(({ Id }) => Id)).toEqual([container.id])
    await container.restart({ t: 5 })
    const waiting = container.wait({ condition: 'next-exit' })
    await container.stop({ t: 10 })
    expect(await waiting).toEqual({ StatusCode: 0 })
    await expect(container.stop()).rejects.toMatchObject({ statusCode: 304 })
    await expect(container.kill()).rejects.toMatchObject({ statusCode: 409 })
    await container.start()
    await container.kill({ signal: 'SIGKILL' })
    expect(await container.wait()).toEqual({ StatusCode: 137 })
    expect((await state()).Status).toBe('exited')
  } finally {
    await container.remove({ force: true, v: true })
  }
  await docker.getVolume('life-data').remove()
})

it('follows logs and statistics as streams, puts archives, shows changes, exports and commits', async () => {
  const container = await docker.createContainer({
    Image: 'bb:1',
    Cmd: ['sh', '-c', 'echo one; echo two >&2; read line; echo $line'],
    OpenStdin: true,
  })
  const made: string[] = []
  try {
    await container.start()
    const [out, err] = [new PassThrough(), new PassThrough()]
    const logs = (await container.logs({ follow: true, stdout: true, stderr: true, tail: 10, timestamps: false })) as Readable
    container.modem.demuxStream(logs, out, err)
    logs.once('end', () => {
      out.end()
      err.end()
    })
    const collected = Promise.all([text(out), text(err)])
    const stats = (await container.stats({ stream: true })) as Readable
    const sample = JSON.parse(String(await new Promise((resolve) => stats.once('data', resolve)))) as { pids_stats: { current: number } }
    expect(sample.pids_stats.current).toBeGreaterThan(0)
    stats.destroy()
    await container.putArchive(Readable.from([tinyTar('put', 'put here')]), { path: '/tmp' })
    expect((await container.infoArchive({ path: '/tmp/put' })).headers['x-docker-container-path-stat']).toBeTruthy()
    const input = await container.attach({ stream: true, stdin: true, hijack: true })
    input.write('typed\n')
    input.end()
    expect(await container.wait()).toEqual({ StatusCode: 0 })
    expect(await collected).toEqual(['one\ntyped\n', 'two\n'])
    expect(await container.changes()).toEqual(expect.arrayContaining([{ Path: '/tmp/put', Kind: 1 }]))
    expect((await text((await container.export()) as Readable)).includes('put here')).toBe(true)
    const { Id } = (await container.commit({
      repo: 'dockerode',
      tag: 'made',
      comment: 'why',
      author: 'who',
      changes: ['ENV MADE=yes'],
    })) as { Id: string }
    made.push(Id)
    const image = docker.getImage('dockerode:made')
    expect(await image.inspect()).toMatchObject({
      Id,
      Comment: 'why',
      Author: 'who',
      Config: { Env: expect.arrayContaining(['MADE=yes']) },
    })
    expect(((await image.history()) as { Comment: string }[])[0]?.Comment).toBe('why')
    await image.tag({ repo: 'dockerode', tag: 'again' })
    const saved = (await more.getImages({ names: ['dockerode:made', 'dockerode:again'] })) as Readable
    const bytes = Buffer.concat((await saved.toArray()) as Buffer[])
    for (const name of ['made', 'again']) await docker.getImage(`dockerode:${name}`).remove()
    const loading = (await docker.loadImage(Readable.from([bytes]))) as Readable
    expect(await text(loading)).toContain('Loaded image: dockerode:made')
    expect((await docker.listImages({ filters: { reference: ['dockerode:*'] } })).flatMap(({ RepoTags }) => RepoTags).sort()).toEqual([
      'dockerode:again',
      'dockerode:made',
    ])
  } finally {
    await container.remove({ force: true })
    for (const id of made) await docker.getImage(id).remove({ force: true })
  }
})

// CRI-O and conmon once kept all of it (CVE-2022-1708): what nobody takes must not pile up in the agent, whichever way it is asked for.
it('keeps nothing for a client that does not read, and goes on without it', async () => {
  const flood = 'head -c 300000000 /dev/zero; sleep 1000'
  const container = await docker.createContainer({
    Image: 'bb:1',
    Cmd: ['sh', '-c', `read go; ${flood}`],
    OpenStdin: true,
    HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '2m', 'max-file': '1' } } },
  })
  const streams: NodeJS.ReadableStream[] = []
  try {
    const attached = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
    await container.start()
    const exec = await container.exec({ Cmd: ['sh', '-c', flood], AttachStdout: true })
    const before = process.memoryUsage().rss
    streams.push(attached, await exec.start({ hijack: true }), await container.logs({ follow: true, stdout: true }))
    for (const stream of streams) stream.pause()
    attached.write('go\n')
    const heads = async () => {
      const { Processes = [] } = (await container.top({ ps_args: '-eo pid,comm' })) as { Processes?: string[][] }
      return Processes.filter(([, name]) => name === 'head').map(([pid]) => pid)
    }
    // Both programs are held back where the kernel's and the monitor's buffers are full: neither gets to its end.
    const written = async () => (await heads()).map((pid) => Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]))
    let last: number[] = []
    await expect
      .poll(
        async () => {
          const now = await written()
          const still = now.length === 2 && now.every((bytes, i) => bytes > 0 && bytes === last[i])
          last = now
          return still
        },
        { timeout: 20_000, interval: 300 },
      )
      .toBe(true)
    for (const bytes of last) expect(bytes).toBeLessThan(32 << 20)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20)
    // The one who was attached goes: the container is not held by anybody any more.
    for (const stream of streams) (stream as unknown as Socket).destroy()
    await expect.poll(heads, { timeout: 30_000 }).toEqual([])
    expect((await container.inspect()).State.Running).toBe(true)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20)
  } finally {
    for (const stream of streams) (stream as unknown as Socket).destroy()
    await container.remove({ force: true })
  }
})

it('builds with progress, pushes and pulls with progress, and prunes', async () => {
  const registry = await startRegistry()
  const finished = (stream: NodeJS.ReadableStream) =>
    new Promise<Record<string, unknown>[]>((resolve, reject) =>
      docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines as Record<string, unknown>[]))),
    )
  const name = `${registry.host}/dode/built`
  try {
    const context = tinyTar('Dockerfile', 'FROM bb:1\nARG WHO\nRUN echo $WHO > /who\nLABEL built=here\n')
    const building = await docker.buildImage(Readable.from([context]), {
      t: `${name}:1`,
      buildargs: { WHO: 'me' },
      nocache: true,
      labels: { more: 'yes' },
    })
    const lines = await finished(building)
    expect(lines.find(({ aux }) => aux)).toMatchObject({ aux: { ID: expect.stringMatching(/^sha256:/) } })
    const failing = await docker.buildImage(Readable.from([tinyTar('Dockerfile', 'FROM bb:1\nRUN exit 9\n')]), { t: 'failing' })
    expect((await finished(failing)).at(-1)).toMatchObject({
      errorDetail: { code: 9 },
      error: expect.stringContaining('returned a non-zero code: 9'),
    })
    const image = docker.getImage(`${name}:1`)
    expect((await image.inspect()).Config.Labels).toEqual({ built: 'here', more: 'yes' })
    const pushed = await finished(await image.push({}))
    expect(pushed.find(({ aux }) => aux)).toMatchObject({ aux: { Tag: '1', Digest: expect.stringMatching(/^sha256:/) } })
    expect(await image.distribution()).toMatchObject({ Descriptor: { digest: expect.stringMatching(/^sha256:/) } })
    await image.remove()
    const pulled = await finished(await docker.pull(`${name}:1`))
    expect(pulled.at(-1)).toMatchObject({ status: `Status: Downloaded newer image for ${name}:1` })
    await expect(docker.pull(`${name}:none`)).rejects.toMatchObject({ statusCode: 404 })
    await image.remove()
    const pruned = await docker.pruneImages({ filters: { dangling: { false: true } } as never })
    expect(pruned.SpaceReclaimed).toBeGreaterThanOrEqual(0)
    expect((await docker.pruneContainers()).SpaceReclaimed).toBe(0)
    expect((await docker.pruneVolumes()).SpaceReclaimed).toBe(0)
    await docker.pruneNetworks()
    expect(await more.pruneBuilder()).toMatchObject({ SpaceReclaimed: expect.any(Number) })
  } finally {
    await registry.stop()
  }
})

it('says what it does not have', async () => {
  for (const call of [() => docker.swarmInspect(), () => docker.listServices(), () => docker.listNodes(), () => docker.listSecrets()])
    await expect(call()).rejects.toMatchObject({ statusCode: expect.any(Number), message: expect.stringMatching(/swarm/i) })
  expect(await docker.listPlugins().catch((error: { statusCode: number }) => error.statusCode)).toSatisfy(
    (answer) => Array.isArray(answer) || answer === 501,
  )
})
