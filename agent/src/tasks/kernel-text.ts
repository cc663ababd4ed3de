/** Pure: formats of cgroup and /proc files. */
import type { StatsSample } from '@berth/contract/stats'

/** A lone number; `max` and nonsense are null, as are the kernel's "no limit" numbers of cgroup v1. */
export function numberOf(text: string | null): number | null {
  if (text === null) return null
  const value = Number(text)
  return text.trim() === '' || Number.isNaN(value) || value >= 0x7ffffffffffff000 ? null : value
}

/** `key value` lines. */
export function pairsOf(text: string | null): Record<string, number> {
  const pairs: Record<string, number> = {}
  if (text === null) return pairs
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0) pairs[line.slice(0, space)] = Number(line.slice(space + 1))
  }
  return pairs
}

/** One value of `key value` lines without reading the others. */
export function fieldOf(text: string | null, key: string): number {
  if (text === null) return 0
  const at = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1
  if (at === 0 && !text.startsWith(`${key} `)) return 0
  const from = at + key.length + 1
  const end = text.indexOf('\n', from)
  return Number(text.slice(from, end < 0 ? undefined : end))
}

type Network = StatsSample['network']

/** /proc/PID/net/dev without loopback (proc(5)). */
export function networkOf(text: string | null): Network {
  const network: Network = {}
  for (const line of text?.split('\n').slice(2) ?? []) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon).trim()
    if (name === 'lo') continue
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number)
    network[name] = { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }
  }
  return network
}

type BlockIo = StatsSample['blockIo']
type BlockDevice = BlockIo['devices'][number]

function sumOf(devices: BlockDevice[]): BlockIo {
  const total = { readBytes: 0, writeBytes: 0, readOps: 0, writeOps: 0 }
  for (const device of devices) {
    total.readBytes += device.readBytes
    total.writeBytes += device.writeBytes
    total.readOps += device.readOps
    total.writeOps += device.writeOps
  }
  return { ...total, devices }
}

/** v1: `blkio.throttle.io_service_bytes` and `…io_serviced`: lines `8:0 Read 4096`. */
export function blockIoV1(bytesText: string | null, opsText: string | null): BlockIo {
  const devices = new Map<string, BlockDevice>()
  const take = (text: string | null, read: 'readBytes' | 'readOps', write: 'writeBytes' | 'writeOps') => {
    for (const line of text?.split('\n') ?? []) {
      const [name = '', word, value] = line.split(' ')
      const match = /^(\d+):(\d+)$/.exec(name)
      if (!match || (word !== 'Read' && word !== 'Write')) continue
      const device = devices.get(name) ?? {
        major: Number(match[1]),
        minor: Number(match[2]),
        readBytes: 0,
        writeBytes: 0,
        readOps: 0,
        writeOps: 0,
      }
      device[word === 'Read' ? read : write] = Number(value)
      devices.set(name, device)
    }
  }
  take(bytesText, 'readBytes', 'writeBytes')
  take(opsText, 'readOps', 'writeOps')
  return sumOf([...devices.values()])
}

/** v2: `io.stat`: lines `8:0 rbytes=1 wbytes=2 rios=3 wios=4 …`. */
export function blockIoV2(text: string | null): BlockIo {
  const devices: BlockDevice[] = []
  for (const line of text?.split('\n') ?? []) {
    const match = /^(\d+):(\d+) (.*)$/.exec(line)
    if (!match) continue
    const values = Object.fromEntries((match[3] as string).split(' ').map((part) => part.split('=') as [string, string]))
    devices.push({
      major: Number(match[1]),
      minor: Number(match[2]),
      readBytes: Number(values.rbytes ?? 0),
      writeBytes: Number(values.wbytes ?? 0),
      readOps: Number(values.rios ?? 0),
      writeOps: Number(values.wios ?? 0),
    })
  }
  return sumOf(devices)
}

type Pressure = NonNullable<StatsSample['pressure']>['cpu']

/** A `*.pressure` file (PSI). */
export function pressureOf(text: string | null): Pressure {
  const part = (kind: string) => {
    const match = new RegExp(`^${kind} avg10=([\\d.]+).* total=(\\d+)`, 'm').exec(text ?? '')
    return { average: Number(match?.[1] ?? 0), total: Number(match?.[2] ?? 0) }
  }
  const some = part('some')
  const full = part('full')
  return { some10: some.average, full10: full.average, someTotalUs: some.total, fullTotalUs: full.total }
}
