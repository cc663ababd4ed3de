/** RUN: a container from the stage's image, its output live, its changes as a layer. */
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { containerOptions, type Mount } from '@berth/contract/container'
import type { ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import { runProgram } from '../native/programs.ts'
import type { Exit } from '../tasks/tasks.ts'
import { resolveWorkdir, shellOf } from './config-change.ts'
import { sourceImage } from './copy-sources.ts'
import type { NewLayer } from './layer-step.ts'
import { removeMountStubs } from './mount-stubs.ts'
import type { Build } from './rooms.ts'
import type { RunMount, Statement } from './statement.ts'

export type RunStatement = Extract<Statement, { kind: 'run' }>

/** Digest of an archive without entries: such a layer is left out, as Docker does. */
const emptyDiffId = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef'
const creditBytes = 1 << 20
const secretLimit = 500 * 1024

/** What is executed, here-documents included; `script` is a file to be mounted and run (a here-document with its own `#!`). */
export function runCommand(statement: RunStatement, config: ImageConfig): { args: string[]; script: string | null } {
  const { command, heredocs } = statement
  // `RUN []` is the image's own command, as everywhere else where none is given.
  if ('exec' in command)
    return { args: command.exec.length > 0 ? command.exec : [...(config.entrypoint ?? []), ...(config.cmd ?? [])], script: null }
  const [only] = heredocs
  if (only && heredocs.length === 1 && /^\d*<<-?(["']?)[\w.-]+\1$/.test(command.shell.trim())) {
    if (only.content.startsWith('#!')) return { args: [scriptPath], script: only.content }
    return { args: [...shellOf(config), only.content], script: null }
  }
  const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`).join('')
  return { args: [...shellOf(config), command.shell + bodies], script: null }
}

const scriptPath = '/tmp/.berth-build-script'

interface Prepared {
  mounts: Mount[]
  env: string[]
  targets: string[]
  release(): void
}

/** Runs it. @throws failed_precondition `The command '…' returned a non-zero code: N` */
export async function runLayer(
  build: Build,
  statement: RunStatement,
  at: { imageId: string; chainId: string | null; config: ImageConfig; args: [string, string][]; stageIndex: number },
  hold: (digest: string) => void,
): Promise<NewLayer | null> {
  const { args, script } = runCommand(statement, at.config)
  const prepared = await prepareMounts(build, statement, at, script)
  try {
    const id = await createContainer(build, statement, at, args, prepared)
    build.operation.progress({ text: ` ---> Running in ${id.slice(0, 12)}\n` })
    const { keepContainers } = build.options
    try {
      const exit = await runContainer(build, id)
      if (exit.exitCode !== 0)
        throw new EngineError('failed_precondition', `The command '${args.join(' ')}' returned a non-zero code: ${exit.exitCode}`)
      const active = build.snapshots.active(id)
      if (active) await removeMountStubs(active, prepared.targets)
      const lease = build.content.lease()
      try {
        const layer = await build.snapshots.commit(id, {
          compress: 'gzip',
          consume: !keepContainers,
          lease,
          signal: build.operation.signal,
        })
        for (const digest of [layer.digest, layer.diffId, layer.chainId]) hold(digest)
        return layer.diffId === emptyDiffId ? null : layer
      } finally {
        lease.release()
      }
    } finally {
      if (!keepContainers || build.operation.signal.aborted) {
        await build.containers.remove(id, { force: true, volumes: true })
        build.operation.progress({ text: `Removing intermediate container ${id.slice(0, 12)}\n` })
      }
    }
  } finally {
    prepared.release()
  }
}

async function createContainer(
  build: Build,
  statement: RunStatement,
  at: { imageId: string; config: ImageConfig; args: [string, string][] },
  args: string[],
  prepared: Prepared,
): Promise<string> {
  const { options } = build
  const networkMode = statement.network || options.networkMode
  const beyond = [
    ...(networkMode === 'host' ? ["the host's network"] : []),
    ...(options.securityOpt.length > 0 ? ['security options'] : []),
    ...(options.cgroupParent !== '' ? ['a cgroup of its own choice'] : []),
  ]
  if (beyond.length > 0 && !build.allowed.hostAccess)
    throw new EngineError(
      'permission_denied',
      `this host's policy allows no privileged containers, and the build asks for ${beyond.join(', ')} (agent.json, policy.noPrivileged)`,
    )
  const known = new Set(at.config.env.map((entry) => entry.split('=')[0]))
  const { id } = await build.containers.create({
    transient: true,
    options: containerOptions.parse({
      image: at.imageId,
      cmd: args,
      entrypoint: [],
      env: [...at.args.filter(([name]) => !known.has(name)).map(([name, value]) => `${name}=${value}`), ...prepared.env],
      healthcheck: { test: ['NONE'] },
      mounts: prepared.mounts,
      networkMode,
      extraHosts: options.extraHosts,
      limits: options.limits,
      ulimits: options.ulimits,
      cgroupParent: options.cgroupParent,
      securityOpt: options.securityOpt,
      labels: options.keepContainers ? options.labels : {},
      shmSizeBytes: options.shmSizeBytes,
    }),
  })
  return id
}

/** Starts, shows the output, waits for the end. */
async function runContainer(build: Build, id: string): Promise<Exit> {
  const { operation, containers } = build
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  let settle: { resolve(exit: Exit): void; reject(error: Error): void } = { resolve() {}, reject() {} }
  const exited = new Promise<Exit>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const say = (stream: 'stdout' | 'stderr', bytes: Buffer) => {
    const text = decoders[stream].write(bytes)
    if (text) operation.progress(stream === 'stderr' ? { text, stderr: true } : { text })
    attachment?.credit(bytes.length)
  }
  const attachment = await containers.attach(
    id,
    { stdin: false, stdout: true, stderr: true, replay: false, flow: { kind: 'credit', bytes: creditBytes } },
    {
      stdout: (bytes) => say('stdout', bytes),
      stderr: (bytes) => say('stderr', bytes),
      replay() {},
      replayed() {},
      resized() {},
      ended(reason) {
        if ('exit' in reason) settle.resolve(reason.exit)
        else settle.reject(new EngineError('internal', `the build container was lost: ${reason.lost}`))
      },
    },
  )
  exited.catch(() => {}) // awaited below, unless the start fails first
  const cancel = () => settle.reject(new EngineError('cancelled', 'the build was cancelled'))
  operation.signal.addEventListener('abort', cancel, { once: true })
  try {
    operation.signal.throwIfAborted()
    await containers.start(id)
    const exit = await exited
    await containers.wait(id, 'not-running', operation.signal)
    return exit
  } finally {
    operation.signal.removeEventListener('abort', cancel)
  }
}

async function prepareMounts(
  build: Build,
  statement: RunStatement,
  at: { chainId: string | null; config: ImageConfig; stageIndex: number },
  script: string | null,
): Promise<Prepared> {
  const releases: (() => void)[] = []
  const prepared: Prepared = {
    mounts: [],
    env: [],
    targets: [],
    release: () => {
      for (const release of releases) release()
    },
  }
  const add = (mount: Partial<Mount> & { type: Mount['type']; target: string }) => {
    prepared.mounts.push(mount as Mount)
    prepared.targets.push(mount.target)
  }
  try {
    if (script !== null) {
      const file = join(build.work, `script-${build.unique()}`)
      await writeFile(file, script, { mode: 0o755 })
      add({ type: 'bind', source: file, target: scriptPath, readOnly: true })
    }
    for (const mount of statement.mounts) {
      const target = mount.target && resolveWorkdir(at.config.workingDir, mount.target)
      if (mount.type === 'tmpfs') add({ type: 'tmpfs', target, tmpfsSizeBytes: mount.sizeBytes })
      else if (mount.type === 'cache') {
        const opened = await build.cache.mount(mount.id, mount, build.operation.signal)
        releases.push(opened.release)
        add({ type: 'bind', source: opened.path, target, readOnly: mount.readOnly })
      } else if (mount.type === 'ssh') {
        // Without an agent to forward BuildKit mounts nothing either, unless the step says that it cannot do without.
        if (mount.required)
          throw new EngineError('invalid_argument', 'ssh: no agent is forwarded to this builder; give keys as secrets instead')
      } else if (mount.type === 'secret') await addSecret(build, mount, target, prepared, add)
      else add({ type: 'bind', source: await bindSource(build, mount, at.stageIndex), target, readOnly: mount.readOnly })
    }
    return prepared
  } catch (error) {
    prepared.release()
    throw error
  }
}

async function addSecret(
  build: Build,
  mount: RunMount,
  target: string,
  prepared: Prepared,
  add: (mount: Partial<Mount> & { type: 'bind'; target: string }) => void,
): Promise<void> {
  const value = build.options.secrets[mount.id]
  if (value === undefined) {
    if (mount.required) throw new EngineError('invalid_argument', `secret ${mount.id}: not found; give it to the build`)
    return
  }
  if (value.length > secretLimit) throw new EngineError('invalid_argument', `secret ${mount.id} is larger than ${secretLimit} bytes`)
  if (mount.env) prepared.env.push(`${mount.env}=${value}`)
  if (!target) return
  const file = join(build.work, `secret-${build.unique()}`)
  await writeFile(file, value, { mode: 0o600 })
  const { chmod, chown } = await import('node:fs/promises')
  await chown(file, mount.uid, mount.gid)
  await chmod(file, mount.mode ?? 0o400)
  add({ type: 'bind', source: file, target, readOnly: true })
}

/** A directory or file of the host that holds what a bind mount shows. */
async function bindSource(build: Build, mount: RunMount, stageIndex: number): Promise<string> {
  if (mount.from !== '') {
    const image = await sourceImage(build, mount.from, stageIndex)
    if (image.chainId === null) throw new EngineError('not_found', `${mount.from} has no files`)
    const view = join(build.work, `root-${build.unique()}`)
    const copy = join(build.work, `bind-${build.unique()}`)
    await mkdir(view)
    await mkdir(copy)
    const file = `${view}.json`
    await writeFile(file, JSON.stringify({ mounts: build.snapshots.view(image.chainId, view), root: view }), { mode: 0o600 })
    const source = `/${mount.source.replace(/^\/+/, '')}`
    await runProgram(build.unpack, ['place', '--root', copy, '--from-mounts', file, '--from-path', source, '--to', '/source'], {
      signal: build.operation.signal,
    })
    return join(copy, 'source')
  }
  const place = await build.context.locate(mount.source.replace(/^\/+/, ''))
  if (place === null) throw new EngineError('not_found', `mount source ${mount.source || '.'} is not in the build context`)
  const path = await realpath(join(build.context.root, place))
  const root = await realpath(build.context.root)
  if (path !== root && !path.startsWith(root + sep))
    throw new EngineError('invalid_argument', `mount source ${mount.source} leads out of the build context`)
  if (mount.readOnly) return path
  // Writes into a bind mount are allowed and thrown away.
  const copy = join(build.work, `bind-${build.unique()}`)
  await cp(path, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  return copy
}
