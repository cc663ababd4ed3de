/** What agent-process.ts bundles and runs: an engine that does what it reads on stdin and answers on stdout. */
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { buildOptions } from '@berth/contract/build'
import { containerOptions } from '@berth/contract/container'
import { execOptions } from '@berth/contract/exec'
import type { AgentConfig } from '../src/config.ts'
import { openEngine } from '../src/engine.ts'
import { createLogger } from '../src/log.ts'

const config = JSON.parse(process.env.BERTH_TEST_CONFIG as string) as AgentConfig
const engine = await openEngine(config, createLogger('silent'))
const answer = (message: unknown) => process.stdout.write(`${JSON.stringify(message)}\n`)

/** Calls that take what JSON cannot carry. */
const special: Record<string, (...args: never[]) => Promise<unknown>> = {
  'test.create': async (name: string, options: object) => engine.containers.create({ name, options: containerOptions.parse(options) }),
  'test.pull': async (reference: string) =>
    (
      await engine.operations.start({ kind: 'pull', subject: reference, startedBy: 'test' }, (context) =>
        engine.images.pull({ reference }, context),
      ).done
    ).id,
  /** Builds a lone Dockerfile. */
  'test.build': async (tag: string, dockerfile: string) =>
    (
      await engine.operations.start({ kind: 'build', subject: tag, startedBy: 'test' }, (context) =>
        engine.builder.build(Readable.from([Buffer.from(dockerfile)]), buildOptions.parse({ tags: [tag] }), {}, context),
      ).done
    ).id,
  /** Starts an exec and leaves it. */
  'test.exec': async (container: string, options: object) => {
    const { id } = await engine.containers.createExec(container, execOptions.parse(options))
    await engine.containers.startExec(id)
    return id
  },
  /** Types into an exec or a container and gives what came back until `until` was in it. */
  'test.talk': async (target: { exec?: string; container?: string }, text: string, until: string) => {
    let seen = ''
    return new Promise((resolve, reject) => {
      const options = { stdin: true, stdout: true, stderr: true, replay: true, flow: { kind: 'drop' } } as const
      const look = (bytes: Buffer) => {
        seen += bytes.toString()
        if (seen.includes(until)) resolve(seen)
      }
      const listener = {
        stdout: look,
        stderr: look,
        replay: (_: string, bytes: Buffer) => look(bytes),
        replayed() {},
        resized() {},
        ended: () => reject(new Error(`it ended: ${seen}`)),
      }
      const joined = target.exec
        ? engine.containers.joinExec(target.exec, options, listener)
        : engine.containers.attach(target.container as string, options, listener)
      joined.then((attachment) => attachment.write(Buffer.from(text))).catch(reject)
    })
  },
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, call, args } = JSON.parse(line) as { id: number; call: string; args: never[] }
    try {
      const [room, method] = call.split('.') as ['containers', 'list']
      const run = special[call] ?? (engine[room][method].bind(engine[room]) as (...args: never[]) => Promise<unknown>)
      answer({ id, value: (await run(...args)) ?? null })
    } catch (error) {
      answer({ id, error: { code: (error as { code?: string }).code ?? 'internal', message: (error as Error).message } })
    }
  })
  .on('close', async () => {
    await engine.close()
    process.exit(0)
  })
answer({ ready: true })
