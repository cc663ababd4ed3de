import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { environmentFile } from './environment-file.ts'

/**
 * A network namespace for the browser alone. Chromium breaks off what it is loading whenever an interface of its network comes or goes (ERR_NETWORK_CHANGED), and the
 * agents of this machine make and remove bridges all the time. In there stands nothing but the loopback, on which the dashboard answers at its own port, and a
 * pair of interfaces that lead nowhere, without which Chromium takes itself to be offline. Connections cross over a unix socket.
 *
 * @returns the id of the process that holds the namespace, and what ends it
 */
export async function browserNetwork(port: number): Promise<{ pid: number; stop: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-e2e-network-'))
  const path = join(directory, 'dashboard.sock')
  const relay = await relayTo(port, path)
  const inside = `set -e
ip link set lo up
ip link add near type veth peer name far
ip address add 192.0.2.1/24 dev near
ip link set near up
ip link set far up
exec socat TCP-LISTEN:${port},bind=127.0.0.1,backlog=128,fork,reuseaddr UNIX-CONNECT:${path}`
  const logFile = join(dirname(environmentFile), 'browser-network.log')
  const log = openSync(logFile, 'w')
  const holder = spawn('unshare', ['--net', 'sh', '-c', inside], { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  let stopping = false
  await new Promise((resolve, reject) => holder.once('spawn', () => resolve(undefined)).once('error', reject))
  holder.once('exit', (code) => {
    if (!stopping) console.error(`the browser's network namespace ended (exit status ${code}); see ${logFile}`)
  })
  const stop = async () => {
    stopping = true
    relay.close()
    await ended(holder)
    rmSync(directory, { recursive: true, force: true })
  }
  return { pid: holder.pid as number, stop }
}

/** Each connection of the unix socket is one to the port; what breaks one breaks the other. */
function relayTo(port: number, path: string): Promise<Server> {
  const relay = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    // A dashboard that was killed refuses: to the browser that is a connection which ends at once.
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  return new Promise((resolve, reject) => relay.once('error', reject).listen(path, () => resolve(relay)))
}

/** socat serves each connection in a child of its own: the whole group goes. */
async function ended(holder: ChildProcess): Promise<void> {
  if (holder.exitCode !== null || holder.signalCode !== null) return
  const gone = new Promise((resolve) => holder.once('exit', resolve))
  process.kill(-(holder.pid as number), 'SIGTERM')
  await gone
}
