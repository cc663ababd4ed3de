/**
 * The engine in a process of its own, to be killed: bundled once (a start then costs a fifth of a second) and spoken to by JSON lines. Calls are
 * `{"call":"containers.create","args":[…]}`; what is on the way when the process is killed is never answered.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { AgentConfig } from '../src/config.ts'

export interface AgentBundle {
  path: string
  remove(): void
}

/** Bundles a program of this directory beside the agent's node_modules, so that what is not bundled is found. */
export async function bundleAgent(entry = 'agent-process-main.ts'): Promise<AgentBundle> {
  const directory = mkdtempSync(fileURLToPath(new URL('../.test-bundle-', import.meta.url)))
  const path = join(directory, 'agent.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // As the shipped bundle (build.ts): what is inside need not be looked for, which is most of a start.
    splitting: false,
    external: ['node-pty', 're2-wasm', 'undici', 'tar-stream', 'bufferutil', 'utf-8-validate'],
    banner: {
      js: "import { createRequire as berthCreateRequire } from 'node:module'; const require = berthCreateRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'contract',
        setup(setup) {
          setup.onResolve({ filter: /^@berth\/contract\// }, ({ path: specifier }) => ({
            path: fileURLToPath(new URL(`../contract/src/${specifier.slice('@berth/contract/'.length)}.ts`, import.meta.url)),
          }))
        },
      },
    ],
  })
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

export class AgentProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  #next = 0
  stderr = ''

  constructor(bundle: AgentBundle, config: AgentConfig) {
    this.#child = spawn(process.execPath, [bundle.path], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, BERTH_TEST_CONFIG: JSON.stringify(config) },
    })
    this.ended = new Promise((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.stderr?.on('data', (bytes: Buffer) => {
      this.stderr = (this.stderr + bytes.toString()).slice(-4000)
    })
    this.#child.stdin?.on('error', () => {})
    this.ready = new Promise((resolve, reject) => {
      this.ended.then(() => reject(new Error(`the agent ended before it was ready: ${this.stderr}`)))
      createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        const message = JSON.parse(line) as { ready?: true; id?: number; value?: unknown; error?: { code: string; message: string } }
        if (message.ready) return resolve()
        const waiting = this.#waiting.get(message.id as number)
        this.#waiting.delete(message.id as number)
        if (message.error) waiting?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }))
        else waiting?.resolve(message.value)
      })
    })
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** Rejects with code `killed` when the process ends before it answers. */
  call<T = unknown>(name: string, ...args: unknown[]): Promise<T> {
    this.#next += 1
    const id = this.#next
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      void this.ended.then(() => {
        if (this.#waiting.delete(id)) reject(Object.assign(new Error('killed'), { code: 'killed' }))
      })
      this.#child.stdin?.write(`${JSON.stringify({ id, call: name, args })}\n`)
    })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Lets it close in order. */
  async stop(): Promise<void> {
    this.#child.stdin?.end()
    await this.ended
  }
}
