/** A whole engine on a data root, a bridge and a cgroup of the test's own, with busybox pulled from a real registry. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { type ContainerOptions, containerOptions } from '@berth/contract/container'
import { type ExecOptions, execOptions } from '@berth/contract/exec'
import type * as z from 'zod'
import { type AgentConfig, loadConfig } from '../src/config.ts'
import { type Engine, openEngine } from '../src/engine.ts'
import { createLogger } from '../src/log.ts'
import type { AttachListener, AttachOptions, Exit } from '../src/tasks/tasks.ts'
import { nativeDir } from './image-rooms.ts'
import { busyboxImage, pushTestImage, type TestImage } from './images.ts'
import { startRegistry } from './registry.ts'

/** Settings of a test's own engine; the same object opens the same engine again after close(). */
export function testConfig(): AgentConfig {
  const instance = `bt${randomBytes(2).toString('hex')}`
  const dataRoot = mkdtempSync('/var/lib/berth-test-')
  // As the agent makes it: root of a user namespace must be able to pass.
  chmodSync(dataRoot, 0o711)
  const runRoot = `/run/berth-test-${instance}`
  mkdirSync(runRoot, { recursive: true, mode: 0o711 })
  // The allocator passes over what the machine uses; two tests at once begin at different places.
  const first = 64 + ((randomBytes(1)[0] as number) % 60)
  const config = loadConfig({
    BERTH_CONFIG: undefined,
    BERTH_INSTANCE: instance,
    BERTH_DATA: dataRoot,
    BERTH_RUN: runRoot,
    BERTH_NATIVE: nativeDir,
    BERTH_RUNTIME: process.env.BERTH_RUNTIME,
    BERTH_ADDRESS_POOLS: [0, 1, 2, 3].map((offset) => `10.${first + offset}.0.0/16:24`).join(','),
  })
  return config
}

export interface TestEngine extends Engine {
  /** Closes and opens again on the same data, as after an upgrade of the agent. @param between what happens meanwhile */
  reopen(between?: () => void): Promise<void>
  /** Removes every container, closes, removes the directories. */
  destroy(): Promise<void>
  /** Creates, starts and gives the id. */
  run(options: z.input<typeof containerOptions>): Promise<string>
  /** Runs to its end and gives what it wrote. Removes it. */
  output(options: z.input<typeof containerOptions>): Promise<{ exit: number; stdout: string; stderr: string }>
  exec(container: string, options: z.input<typeof execOptions>): Promise<{ exit: number; stdout: string; stderr: string }>
}

export const parseOptions = (options: z.input<typeof containerOptions>): ContainerOptions => containerOptions.parse(options)
export const parseExec = (options: z.input<typeof execOptions>): ExecOptions => execOptions.parse(options)

export const attachAll: AttachOptions = {
  stdin: false,
  stdout: true,
  stderr: true,
  replay: false,
  flow: { kind: 'credit', bytes: 1 << 30 },
}

/** Collects what a viewer is given; `ended` settles with the reason. */
export function collector(): AttachListener & {
  out: () => string
  err: () => string
  replayText: () => string
  done: Promise<{ exit: Exit } | { lost: string }>
} {
  const chunks: { stdout: Buffer[]; stderr: Buffer[]; replay: Buffer[] } = { stdout: [], stderr: [], replay: [] }
  let settle: (reason: { exit: Exit } | { lost: string }) => void = () => {}
  const done = new Promise<{ exit: Exit } | { lost: string }>((resolve) => {
    settle = resolve
  })
  return {
    stdout: (bytes) => void chunks.stdout.push(Buffer.from(bytes)),
    stderr: (bytes) => void chunks.stderr.push(Buffer.from(bytes)),
    replay: (_, bytes) => void chunks.replay.push(Buffer.from(bytes)),
    replayed: () => {},
    resized: () => {},
    ended: (reason) => settle(reason),
    out: () => Buffer.concat(chunks.stdout).toString(),
    err: () => Buffer.concat(chunks.stderr).toString(),
    replayText: () => Buffer.concat(chunks.replay).toString(),
    done,
  }
}

/** Opens an engine; `images` are pulled from a registry that is started for it (`busybox:1` without any). */
export async function openTestEngine(
  config = testConfig(),
  images: Record<string, TestImage> = { 'busybox:1': busyboxImage() },
): Promise<TestEngine> {
  const log = createLogger(process.env.BERTH_TEST_LOG ?? 'silent')
  let engine = await openEngine(config, log)
  await pullAll(engine, images)
  const handle: Omit<TestEngine, keyof Engine> = {
    async reopen(between = () => {}) {
      await engine.close()
      between()
      engine = await openEngine(config, log)
    },
    async destroy() {
      for (const { id } of await engine.containers.list({ all: true, filters: {}, limit: 0, size: false }))
        await engine.containers.remove(id, { force: true, volumes: true })
      // Their bridges are the host's, and outlive the agent.
      for (const { id, predefined } of engine.networks.list()) if (!predefined) await engine.networks.remove(id)
      await engine.close()
      removeEngineFiles(config)
    },
    async run(options) {
      const { id } = await engine.containers.create({ options: parseOptions(options) })
      await engine.containers.start(id)
      return id
    },
    async output(options) {
      const { id } = await engine.containers.create({ options: parseOptions(options) })
      try {
        const viewer = collector()
        await engine.containers.attach(id, attachAll, viewer)
        const waiting = engine.containers.wait(id, 'next-exit')
        waiting.catch(() => {})
        await engine.containers.start(id)
        const { exitCode } = await waiting
        await viewer.done
        return { exit: exitCode, stdout: viewer.out(), stderr: viewer.err() }
      } finally {
        await engine.containers.remove(id, { force: true, volumes: true })
      }
    },
    async exec(container, options) {
      const { id } = await engine.containers.createExec(container, parseExec(options))
      const viewer = collector()
      await engine.containers.startExec(id, { options: attachAll, listener: viewer })
      const { exitCode } = await engine.containers.waitExec(id)
      await viewer.done
      return { exit: exitCode, stdout: viewer.out(), stderr: viewer.err() }
    },
  }
  return new Proxy(handle as TestEngine, { get: (target, property) => Reflect.get(property in target ? target : engine, property) })
}

/** What an engine leaves for its successor: files, its empty cgroup, bridges and table. */
export function removeEngineFiles(config: AgentConfig): void {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'type', 'bridge'], { encoding: 'utf8' })) as { ifname?: string }[]
  for (const { ifname } of links) if (ifname?.startsWith(config.instance)) execFileSync('ip', ['link', 'delete', ifname])
  for (const line of execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).split('\n')) {
    const [, family, table] = line.split(' ')
    if (family && table?.startsWith(config.instance)) execFileSync('nft', ['delete', 'table', family, table])
  }
  rmSync(config.dataRoot, { recursive: true, force: true })
  rmSync(config.runRoot, { recursive: true, force: true })
  for (const hierarchy of ['', 'cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'systemd', 'unified']) {
    const path = `/sys/fs/cgroup/${hierarchy}/${config.instance}`.replace('//', '/')
    if (existsSync(path) && dirname(path) !== '/') rmdirSync(path)
  }
}

async function pullAll(engine: Engine, images: Record<string, TestImage>): Promise<void> {
  const registry = await startRegistry()
  try {
    for (const [reference, image] of Object.entries(images)) {
      const [repository, tag] = reference.split(':') as [string, string]
      await pushTestImage(registry.url, repository, tag, image)
      const source = `${registry.host}/${reference}`
      const { done } = engine.operations.start({ kind: 'pull', subject: source, startedBy: 'test' }, (context) =>
        engine.images.pull({ reference: source }, context),
      )
      await done
      await engine.images.tag(source, reference)
      await engine.images.remove(source, { force: false, prune: false })
    }
  } finally {
    await registry.stop()
  }
}
