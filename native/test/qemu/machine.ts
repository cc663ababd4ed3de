/**
 * One virtual machine with a pure cgroup v2 hierarchy, by software emulation, for one command: the host's files read-only under a writable
 * layer that is thrown away, Debian's kernel, no network. Nothing stays: no process, no file outside the cache.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { prepareKernel } from './kernel.ts'

export interface GuestOptions {
  /** Root of the repository, for the cache. */
  repository: string
  /** Working directory in the guest (the same path as on the host). */
  cwd: string
  timeoutMs: number
  memoryMiB?: number
  /** Called with what the command prints, as it comes. */
  onOutput?: (bytes: Buffer) => void
}

export interface GuestResult {
  /** The command's exit status; 128+n for a signal. */
  exitCode: number
  /** stdout and stderr, in order. */
  output: string
  bootMs: number
  totalMs: number
}

const virtiofsd = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'].find((path) => existsSync(path))
const marker = '\u0001berth-guest-begins\u0001\n'

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function guestScript(command: string[], cwd: string): string {
  return `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb BERTH_GUEST=1
stty -F /dev/ttyS0 raw -echo
exec < /dev/null > /dev/ttyS0 2>&1
printf ${quote(marker.replaceAll('\u0001', '\\001').replace('\n', '\\n'))}
cd ${quote(cwd)} && ${command.map(quote).join(' ')}
echo "$?" > /dev/ttyS1
sleep 0.2
sync
busybox reboot -f
`
}

async function waitForFile(path: string, process: ChildProcess, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (existsSync(path)) return
    if (process.exitCode !== null) break
    await sleep(25)
  }
  throw new Error(`${what} did not start`)
}

function qemuArguments(kernel: { image: string; initramfs: string }, directory: string, memory: number): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', 'q35', '-accel', 'tcg,thread=multi'],
    ...['-cpu', 'max', '-smp', '2', '-m', String(memory)],
    ...['-object', `memory-backend-memfd,id=memory,share=on,size=${memory}M`, '-numa', 'node,memdev=memory'],
    ...['-chardev', `socket,id=files,path=${join(directory, 'virtiofsd.sock')}`, '-device', 'vhost-user-fs-pci,chardev=files,tag=host'],
    ...['-drive', `file=${join(directory, 'scratch.img')},if=virtio,format=raw,cache=unsafe`],
    ...['-serial', 'stdio', '-serial', `file:${join(directory, 'status')}`],
    ...['-kernel', kernel.image, '-initrd', kernel.initramfs],
    ...['-append', 'console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off psi=1'],
  ]
}

async function end(process: ChildProcess | undefined): Promise<void> {
  if (!process || process.exitCode !== null || process.signalCode !== null) return
  const exited = once(process, 'exit')
  process.kill('SIGKILL')
  await exited
}

/**
 * Runs a command in the machine.
 * @throws when the machine cannot be made, does not boot, or does not finish in time (the output so far is in the message)
 */
export async function runInGuest(command: string[], options: GuestOptions): Promise<GuestResult> {
  if (!virtiofsd) throw new Error('virtiofsd is missing; install qemu-system-common or virtiofsd')
  const started = Date.now()
  const kernel = prepareKernel(options.repository, guestScript(command, options.cwd))
  const directory = mkdtempSync(join(tmpdir(), 'berth-qemu-'))
  let files: ChildProcess | undefined
  let machine: ChildProcess | undefined
  try {
    const image = join(directory, 'scratch.img')
    const made = spawnSync('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', image, '4G'], { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`mkfs.ext4 failed: ${made.stderr}`)
    files = spawn(
      virtiofsd,
      [`--socket-path=${join(directory, 'virtiofsd.sock')}`, '-o', 'source=/', '-o', 'sandbox=chroot', '-o', 'cache=always'],
      {
        stdio: 'ignore',
      },
    )
    await waitForFile(join(directory, 'virtiofsd.sock'), files, 'virtiofsd')
    machine = spawn('qemu-system-x86_64', qemuArguments(kernel, directory, options.memoryMiB ?? 2048), {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return await collect(machine, join(directory, 'status'), started, options)
  } finally {
    await end(machine)
    await end(files)
    rmSync(directory, { recursive: true, force: true })
    rmSync(kernel.initramfs, { force: true })
  }
}

async function collect(machine: ChildProcess, statusFile: string, started: number, options: GuestOptions): Promise<GuestResult> {
  let text = Buffer.alloc(0)
  let begun = -1
  let bootMs = 0
  let timedOut = false
  machine.stdout?.on('data', (bytes: Buffer) => {
    const before = text.length
    text = Buffer.concat([text, bytes])
    if (begun < 0) {
      const at = text.indexOf(marker)
      if (at < 0) return
      begun = at + marker.length
      bootMs = Date.now() - started
    }
    options.onOutput?.(text.subarray(Math.max(before, begun)))
  })
  machine.stderr?.on('data', (bytes: Buffer) => {
    text = Buffer.concat([text, bytes])
  })
  const timer = setTimeout(() => {
    timedOut = true
    machine.kill('SIGKILL')
  }, options.timeoutMs)
  await once(machine, 'close')
  clearTimeout(timer)
  const output = text.subarray(Math.max(begun, 0)).toString()
  const status = existsSync(statusFile) ? readFileSync(statusFile, 'utf8').trim() : ''
  if (timedOut) throw new Error(`the guest did not finish within ${options.timeoutMs} ms; its output:\n${output}`)
  if (status === '') throw new Error(`the guest ended without a status; its output:\n${text.toString()}`)
  return { exitCode: Number(status), output, bootMs, totalMs: Date.now() - started }
}
