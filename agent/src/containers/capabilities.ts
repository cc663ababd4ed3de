/** Pure: which capabilities a container's processes get (capabilities(7)), by Docker's rules for --cap-add, --cap-drop and --privileged. */
import { EngineError } from '../errors.ts'

/** Every capability the kernel may know, in its numeric order. */
export const allCapabilities = `
  CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK
  IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
  AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`
  .trim()
  .split(/\s+/)
  .map((name) => `CAP_${name}`)

/** Docker's default set. */
export const defaultCapabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
]

/** `net_admin`, `CAP_NET_ADMIN` or `ALL` in the kernel's spelling. @throws EngineError invalid_argument */
export function capabilityName(name: string): string {
  const upper = name.toUpperCase()
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL'
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
  if (!allCapabilities.includes(full)) throw new EngineError('invalid_argument', `unknown capability: ${JSON.stringify(full)}`)
  return full
}

/**
 * The container's capabilities. What is both added and dropped by name is there, as in Docker.
 * @param held what this host can give (the agent's own bounding set): --privileged and ALL cannot give more than is there
 * @throws EngineError invalid_argument for a name that does not exist
 */
export function resolveCapabilities(
  add: readonly string[],
  drop: readonly string[],
  privileged: boolean,
  held: ReadonlySet<string>,
): string[] {
  const every = allCapabilities.filter((name) => held.has(name))
  const added = add.map(capabilityName)
  const dropped = drop.map(capabilityName)
  if (privileged) return every
  if (added.includes('ALL')) return every.filter((name) => !dropped.includes(name))
  const base = dropped.includes('ALL') ? [] : defaultCapabilities.filter((name) => !dropped.includes(name))
  return [...base, ...added.filter((name, index) => !base.includes(name) && added.indexOf(name) === index)]
}

/** The names behind a mask of /proc/PID/status (`CapBnd`). */
export function capabilitiesOfMask(hex: string): Set<string> {
  const mask = BigInt(`0x${hex.trim() || '0'}`)
  return new Set(allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n))
}
