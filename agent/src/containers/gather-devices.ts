/** Looks at device nodes of this machine: numbers for `--device`, `--device-*-bps` and everything for --privileged. */
import type { Stats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import type { ContainerOptions, Limits } from '@berth/contract/container'
import { isMissing } from '../disk/files.ts'
import { EngineError } from '../errors.ts'
import type { DeviceNode, ThrottleDevice } from '../oci/runtime-spec.ts'
import type { ResolvedRates } from './limits.ts'
import type { DeviceFacts } from './spec-devices.ts'

/** Linux' encoding of dev_t, makedev(3). */
function numbers(rdev: number): { major: number; minor: number } {
  const device = BigInt(rdev)
  const major = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn))
  const minor = Number((device & 0xffn) | ((device >> 12n) & ~0xffn))
  return { major, minor }
}

function nodeOf(path: string, info: Stats): DeviceNode | null {
  if (!info.isBlockDevice() && !info.isCharacterDevice()) return null
  return { path, type: info.isBlockDevice() ? 'b' : 'c', ...numbers(info.rdev), fileMode: info.mode & 0o777, uid: info.uid, gid: info.gid }
}

/** @throws EngineError invalid_argument for a host path that is no device */
export async function gatherDevices(options: ContainerOptions): Promise<DeviceFacts> {
  const facts: DeviceFacts = { nodes: [], rules: [] }
  if (options.privileged) facts.nodes = await hostDevices('/dev', 0)
  for (const { hostPath, containerPath, permissions } of options.devices) {
    const target = containerPath || hostPath
    const nodes = await devicesAt(hostPath, target)
    for (const node of nodes) {
      facts.nodes = [...facts.nodes.filter((other) => other.path !== node.path), node]
      facts.rules.push({ allow: true, type: node.type, major: node.major, minor: node.minor, access: permissions })
    }
  }
  return facts
}

function noDevice(path: string): EngineError {
  return new EngineError('invalid_argument', `error gathering device information while adding custom device "${path}": not a device node`)
}

/** One device, or every device of a directory (`--device /dev/snd`). */
async function devicesAt(hostPath: string, target: string): Promise<DeviceNode[]> {
  let info: Stats
  try {
    info = await stat(hostPath)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new EngineError(
      'invalid_argument',
      `error gathering device information while adding custom device "${hostPath}": no such file or directory`,
    )
  }
  const node = nodeOf(target, info)
  if (node) return [node]
  if (!info.isDirectory()) throw noDevice(hostPath)
  const names = await readdir(hostPath)
  const nodes = await Promise.all(names.map(async (name) => nodeOf(`${target}/${name}`, await stat(`${hostPath}/${name}`))))
  const found = nodes.filter((one) => one !== null)
  if (found.length === 0) throw noDevice(hostPath)
  return found
}

/** Directories of /dev that a container has of its own. */
const ownDirectories = new Set(['/dev/pts', '/dev/shm', '/dev/fd', '/dev/mqueue', '/dev/.lxc', '/dev/.udev'])
/** Nodes that the runtime makes itself, or that belong to the container's terminal. */
const ownNodes = new Set(['/dev/console', '/dev/ptmx', '/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/dev/tty'])
const deepest = 6

async function hostDevices(directory: string, depth: number): Promise<DeviceNode[]> {
  const nodes: DeviceNode[] = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) {
      if (!ownDirectories.has(path) && depth < deepest) nodes.push(...(await hostDevices(path, depth + 1)))
    } else if ((entry.isBlockDevice() || entry.isCharacterDevice()) && !ownNodes.has(path)) {
      // A device may go while we look: then it is simply not there.
      const info = await lstat(path).catch(() => null)
      const node = info && nodeOf(path, info)
      if (node) nodes.push(node)
    }
  }
  return nodes
}

/** Device numbers of the limits by device. @throws EngineError invalid_argument naming the path */
export async function gatherRates(limits: Limits): Promise<ResolvedRates> {
  const resolve = (entries: { path: string; rate: number }[]): Promise<ThrottleDevice[]> =>
    Promise.all(entries.map(async ({ path, rate }) => ({ ...(await blockDevice(path)), rate })))
  const [weightDevice, readBps, writeBps, readIops, writeIops] = await Promise.all([
    Promise.all(limits.blkioWeightDevice.map(async ({ path, weight }) => ({ ...(await blockDevice(path)), weight }))),
    resolve(limits.deviceReadBps),
    resolve(limits.deviceWriteBps),
    resolve(limits.deviceReadIops),
    resolve(limits.deviceWriteIops),
  ])
  return { weightDevice, readBps, writeBps, readIops, writeIops }
}

async function blockDevice(path: string): Promise<{ major: number; minor: number }> {
  try {
    const info = await stat(path)
    if (info.isBlockDevice()) return numbers(info.rdev)
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new EngineError('invalid_argument', `stat ${path}: no such file or directory; block limits are for devices of this host`)
  }
  throw new EngineError('invalid_argument', `${path} is not a block device`)
}
