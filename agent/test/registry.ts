/** A real registry (Debian's docker-registry) for tests, on loopback with a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestRegistry {
  /** `127.0.0.1:port`, as it is written in references. */
  host: string
  url: string
  root: string
  stop(): Promise<void>
}

export interface TestRegistryOptions {
  port?: number
  /** `user:bcrypt` lines; the registry then asks for basic credentials. */
  htpasswd?: string
  /** A token server; the registry then asks for bearer tokens signed by `certificate`. */
  token?: { realm: string; service: string; issuer: string; certificate: string }
  /** Keep the data of an earlier start. */
  root?: string
}

/** Starts it and waits until it answers. */
export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const port = options.port ?? (await freePort())
  const root = options.root ?? mkdtempSync(join(tmpdir(), 'berth-registry-'))
  mkdirSync(root, { recursive: true })
  const config = join(root, 'config.yml')
  writeFileSync(config, configuration(port, root, options))
  const child = spawn('docker-registry', ['serve', config], {
    stdio: 'ignore',
    env: { PATH: process.env.PATH ?? '', OTEL_TRACES_EXPORTER: 'none' },
  })
  await untilListening(port, child)
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    root,
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.kill('SIGKILL')) await ended
      if (!options.root) rmSync(root, { recursive: true, force: true })
    },
  }
}

function configuration(port: number, root: string, options: TestRegistryOptions): string {
  const lines = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    `storage: {filesystem: {rootdirectory: ${join(root, 'data')}}, delete: {enabled: true}}`,
    `http: {addr: "127.0.0.1:${port}"}`,
  ]
  if (options.htpasswd) {
    const file = join(root, 'htpasswd')
    writeFileSync(file, options.htpasswd)
    lines.push(`auth: {htpasswd: {realm: test, path: ${file}}}`)
  }
  if (options.token) {
    const file = join(root, 'token.pem')
    writeFileSync(file, options.token.certificate)
    const { realm, service, issuer } = options.token
    lines.push(`auth: {token: {realm: "${realm}", service: "${service}", issuer: "${issuer}", rootcertbundle: ${file}}}`)
  }
  return `${lines.join('\n')}\n`
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with status ${child.exitCode}`)
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  child.kill('SIGKILL')
  throw new Error('docker-registry does not listen')
}
