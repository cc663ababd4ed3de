import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { external } from './external.ts'

/**
 * Packs the built agent into `dist/berth-agent.tar.gz`: what a host needs to run it without a clone, a compiler or npm (Node.js, nft and ip are the host's own). The dashboard
 * hands it out with "Add a host". Inside, below `berth-agent/`, files lie as in a checkout, so that every program finds the others in the same way; `.archive` says that
 * nothing is to be built there. The same input gives the same bytes. Ends with an exception, and without a file, if a part is missing.
 */
const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const archive = join(here, 'dist/berth-agent.tar.gz')
const staging = mkdtempSync(join(here, 'dist/.pack-'))
const top = join(staging, 'berth-agent')
/** Headers for the compiler; a loader for another JavaScript engine (Bare), which Node.js never loads. */
const atBuildTimeOnly = new Set(['node-pty:node-addon-api', 'tar-stream:bare-fs'])

try {
  const { version } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as { version: string }
  write('.archive', `${version}\n`)
  write('agent/package.json', `${JSON.stringify({ name: '@berth/agent', version, private: true, type: 'module' }, null, 2)}\n`)
  copy('LICENSE')
  copy('README.md')
  for (const name of ['install-agent.sh', 'setup.sh', 'systemd-units.sh', 'berth-agent']) copy(`scripts/${name}`)
  copy('agent/dist/berth-agent.js')
  copy('agent/dist/chunks')
  for (const name of ['berth-init', 'berth-monitor', 'berth-runtime', 'berth-unpack']) copyProgram(name)
  copyLibrary('libisal.so.2')
  for (const [name, files] of Object.entries(external)) copyPackage(join(root, 'node_modules', name), files)
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', top])
  const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  execFileSync('tar', [...order, '-I', 'gzip -9n', '-cf', `${archive}.new`, 'berth-agent'], { cwd: staging, stdio: 'inherit' })
  renameSync(`${archive}.new`, archive)
  console.log(`agent/dist/berth-agent.tar.gz: ${(statSync(archive).size / 1e6).toFixed(1)} MB`)
} finally {
  rmSync(staging, { recursive: true, force: true })
  rmSync(`${archive}.new`, { force: true })
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true })
  writeFileSync(join(top, path), text)
}

/** A file or a folder to the same place in the archive. Source maps and declarations stay: they are three times the code, and whoever reads a stack trace has the version that it names. */
function copy(path: string): void {
  cpSync(join(root, path), join(top, path), { recursive: true, filter: (from) => !/\.(map|d\.ts)$/.test(from) })
}

function copyProgram(name: string): void {
  const to = join(top, 'native/build/bin', name)
  mkdirSync(dirname(to), { recursive: true })
  execFileSync('strip', ['-o', to, join(root, 'native/build/bin', name)])
  chmodSync(to, 0o755)
}

/** The shared library that berth-unpack is linked with, where its run path looks for it (native/unpack/build.mk). */
function copyLibrary(name: string): void {
  const linked = execFileSync('ldd', [join(root, 'native/build/bin/berth-unpack')], { encoding: 'utf8' })
  const from = new RegExp(`${name.replaceAll('.', '\\.')} => (\\S+)`).exec(linked)?.[1]
  if (!from) throw new Error(`berth-unpack is not linked with ${name}: change pack.ts and native/unpack/build.mk together`)
  mkdirSync(join(top, 'native/build/lib'), { recursive: true })
  copyFileSync(from, join(top, 'native/build/lib', name))
}

/** @param files what of it is needed at run time; absent (a dependency of a dependency): all */
function copyPackage(directory: string, files?: readonly string[]): void {
  const at = relative(root, directory)
  if (existsSync(join(top, at, 'package.json'))) return
  if (files) for (const name of files) copy(join(at, name))
  else copy(at)
  const { name: owner, dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    name: string
    dependencies?: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) if (!atBuildTimeOnly.has(`${owner}:${name}`)) copyPackage(found(name, directory))
}

/** Where Node.js would look for a package (its documentation, "Loading from node_modules folders"). */
function found(name: string, from: string): string {
  for (let directory = from; directory.startsWith(root); directory = dirname(directory))
    if (existsSync(join(directory, 'node_modules', name, 'package.json'))) return join(directory, 'node_modules', name)
  throw new Error(`the package ${name}, which ${relative(root, from)} needs, is not installed; run npm ci`)
}
