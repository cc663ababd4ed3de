// What a container or another user of the host may try on a monitor: to reach its socket, and to fill its memory. The numbers are the classes of
// SECURITY's list, as in runtime-security.itest.ts.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { descriptors, frame, MonitorHarness, type Started, until } from './monitor-harness.ts'

let harness: MonitorHarness
beforeAll(() => {
  harness = new MonitorHarness()
})
afterEach(async () => {
  for (const started of harness.started) harness.end(started)
  expect(await harness.remains()).toEqual([])
})
afterAll(() => harness?.close())

/** The unix sockets that a process listens on, by the names under which everybody in the network namespace sees them. */
function listeningNames(pid: number): string[] {
  const inodes = descriptors(pid).map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1])
  // Num RefCount Protocol Flags Type St Inode Path; the flag 00010000 is that of a listener.
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '00010000' && inodes.includes(fields[6] as string))
    .map((fields) => fields[7] ?? '')
}

/** What connecting as a user and saying HELLO gets: the number of bytes answered, or the error's name. */
function helloAs(uid: number, socket: string): string {
  const script = `import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(sys.argv[1])
    hello = b'{"stdin":false,"stdout":true,"stderr":true,"replay":false,"flow":"drop"}'
    s.sendall(struct.pack('>IB', len(hello), 0) + hello)
    print(len(s.recv(5)))
except OSError as error:
    print(type(error).__name__)`
  const result = spawnSync('python3', ['-c', script, socket], { uid, gid: uid, encoding: 'utf8', timeout: 20_000 })
  expect(result.stderr).toBe('')
  return result.stdout.trim()
}

it('20: listens by path alone, where only root comes, and asks who it is (CVE-2020-15257)', async () => {
  const started = await harness.start({ args: ['sleep', '1000'], hostNetwork: true })
  const names = listeningNames(started.answer.monitorPid)
  expect(names.length).toBe(1)
  // An abstract name would begin with @ and be open to every process that shares the network namespace.
  expect(names[0]).toMatch(/^\/.*attach\.sock$/)
  const socket = path.join(started.dir, 'run/attach.sock')
  expect(statSync(socket).mode & 0o777).toBe(0o600)
  expect(statSync(path.join(harness.runtimeRoot, started.id)).mode & 0o077).toBe(0)
  expect(helloAs(0, socket)).toBe('5')
  expect(helloAs(65534, socket)).toBe('PermissionError')
  // The modes are not all there is.
  for (const directory of [harness.root, started.dir, path.join(started.dir, 'run')]) chmodSync(directory, 0o755)
  chmodSync(socket, 0o666)
  expect(helloAs(65534, socket)).toMatch(/^(0|BrokenPipeError|ConnectionResetError)$/)
  expect(helloAs(0, socket)).toBe('5')
})

it('21: stays small when an exec or a terminal prints without end and newline (CVE-2022-1708)', async () => {
  const flood = (name: string) => ['sh', '-c', `head -c 50000000 /dev/zero; : > /tmp/${name}; sleep 1000`]
  const terminal = { cols: 80, rows: 24 }
  const container = await harness.start({ args: flood('container'), terminal, log: { maxSizeBytes: 1_000_000, maxFiles: 1 } })
  const unread = await harness.exec(container, { args: flood('unread') })
  const onTerminal = await harness.exec(container, { args: flood('terminal'), terminal })
  // Who asks for credit and then takes nothing stops the process; it is not kept for them.
  const waiting = await harness.exec(container, { args: flood('waiting'), attachFds: 1 })
  waiting.clients[0]?.hello({ flow: 'credit', credit: 1_000_000 })
  const done = (name: string) => existsSync(path.join(container.dir, 'upper/tmp', name))
  await until('the floods to be over', () => ['container', 'unread', 'terminal'].every(done), 60_000)
  await until('the credit to be used up', () => (waiting.clients[0]?.bytes(frame.stdout).length ?? 0) >= 1_000_000)
  expect(done('waiting')).toBe(false)
  const peak = ({ answer }: Started) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${answer.monitorPid}/status`, 'utf8'))?.[1])
  for (const started of [container, unread, onTerminal, waiting])
    if (!process.env.BERTH_NATIVE_BIN?.includes('san')) expect(peak(started)).toBeLessThan(6_000)
})
