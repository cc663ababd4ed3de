import { readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from 'tinyglobby'
import { describe, expect, it } from 'vitest'

/**
 * Which room may import which. Every room may import `errors`, `log`, `config` and the contract; nothing else that is not on its line. A new room is a
 * new line here, with its place in ARCHITECTURE.md.
 */
const rooms: Record<string, readonly string[]> = {
  disk: [],
  oci: [],
  events: ['disk'],
  operations: ['disk', 'events'],
  native: ['disk'],
  content: ['disk', 'oci'],
  registry: ['disk', 'oci', 'content'],
  snapshots: ['disk', 'oci', 'content', 'native'],
  images: ['disk', 'oci', 'content', 'registry', 'snapshots', 'events', 'operations', 'native'],
  volumes: ['disk', 'native', 'events', 'snapshots'],
  networks: ['disk', 'native', 'events'],
  tasks: ['disk', 'native', 'events', 'oci', 'snapshots', 'networks'],
  containers: ['disk', 'native', 'events', 'oci', 'snapshots', 'images', 'volumes', 'networks', 'tasks', 'operations'],
  build: ['disk', 'native', 'events', 'oci', 'content', 'snapshots', 'images', 'containers', 'tasks', 'operations'],
  gc: ['disk', 'oci', 'content', 'snapshots', 'images'],
  api: ['engine', 'containers', 'images', 'operations', 'events', 'tasks', 'native', 'build', 'volumes', 'networks', 'registry', 'disk'],
  'engine-api': ['engine', 'containers', 'images', 'operations', 'events', 'tasks', 'build', 'volumes', 'networks', 'registry', 'oci'],
}
/** Packages that are words of some rooms alone. */
const reserved: Record<string, readonly string[]> = {
  'node:child_process': ['native'],
  'node-pty': ['native'],
  'socket.io': ['api'],
  '@trpc/server': ['api'],
  // build/ asks (ADD of a URL), it serves nobody.
  'node:http': ['api', 'engine-api', 'build'],
  'node:https': ['api', 'build'],
  undici: ['registry'],
  pino: [],
}

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, 'src')
const files = globSync('**/*.ts', { cwd: source }).filter((file) => !/\.(test|itest)\.ts$/.test(file))

/** Module specifiers of static imports and exports, type-only ones too. */
function specifiers(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"\n]*(?:\n[^'"]*?)?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3]) as string)
}

describe('rooms', () => {
  it('has a line in the table for every folder', () => {
    const folders = new Set(files.filter((file) => file.includes(sep)).map((file) => file.split(sep)[0] as string))
    expect([...folders].filter((folder) => !(folder in rooms))).toEqual([])
  })

  it('imports only what the table allows', () => {
    const trespasses: string[] = []
    for (const file of files) {
      const room = file.includes(sep) ? (file.split(sep)[0] as string) : ''
      for (const specifier of specifiers(file)) {
        const word = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const owners = reserved[word]
        if (owners && room && !owners.includes(room)) trespasses.push(`${file} → ${word} (a word of ${owners.join(', ') || 'log.ts'})`)
        if (!specifier.startsWith('.') || !room) continue
        const target = relative(source, join(source, dirname(file), specifier))
        const targetRoom = target.includes(sep) ? (target.split(sep)[0] as string) : target.replace(/\.ts$/, '')
        if (targetRoom === room || ['errors', 'log', 'config'].includes(targetRoom)) continue
        if (!rooms[room]?.includes(targetRoom)) trespasses.push(`${file} → ${targetRoom}`)
      }
    }
    expect(trespasses).toEqual([])
  })

  it('keeps the contract free of everything but zod', () => {
    const contract = join(here, 'contract', 'src')
    const foreign = globSync('*.ts', { cwd: contract }).flatMap((file) =>
      [...readFileSync(join(contract, file), 'utf8').matchAll(/from\s+['"]([^'"]+)['"]/g)]
        .map((match) => match[1] as string)
        .filter((specifier) => specifier !== 'zod' && !specifier.startsWith('./'))
        .map((specifier) => `${file} → ${specifier}`),
    )
    expect(foreign).toEqual([])
  })
})
