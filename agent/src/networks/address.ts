import { isIPv4, isIPv6 } from 'node:net'
import { EngineError } from '../errors.ts'

/** An IP network. Addresses are numbers so that both families share the arithmetic. */
export interface Subnet {
  family: 4 | 6
  base: bigint
  prefix: number
}

/** Bits of an address of that family. */
export function widthOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128
}

/** @throws invalid_argument for what is no IP address */
export function parseAddress(text: string): { family: 4 | 6; value: bigint } {
  if (isIPv4(text)) return { family: 4, value: text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n) }
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: parseIPv6(text) }
  throw new EngineError('invalid_argument', `"${text}" is not an IP address`)
}

function parseIPv6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const plain = dotted ? `${dotted[1]}${lowHalves(parseAddress(dotted[2] as string).value)}` : text
  const [head = '', tail] = plain.split('::') as [string, string | undefined]
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)
}

function lowHalves(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** Canonical text: RFC 5952 for IPv6. */
export function formatAddress(family: 4 | 6, value: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16))
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  if (best.start < 0) return groups.join(':')
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}

/** `172.17.0.0/16`. Host bits are allowed and kept out of the base, as Docker does. @throws invalid_argument */
export function parseSubnet(text: string): Subnet {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text)
  if (!match) throw new EngineError('invalid_argument', `invalid subnet "${text}": write it like 172.20.0.0/16`)
  const { family, value } = parseAddress(match[1] as string)
  const prefix = Number(match[2])
  if (prefix > widthOf(family)) throw new EngineError('invalid_argument', `invalid subnet "${text}": the prefix is too long`)
  return { family, base: value & ~hostMask(family, prefix), prefix }
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.family, subnet.base)}/${subnet.prefix}`
}

function hostMask(family: 4 | 6, prefix: number): bigint {
  return (1n << BigInt(widthOf(family) - prefix)) - 1n
}

/** First and last address, network and broadcast included. */
export function rangeOf(subnet: Subnet): { first: bigint; last: bigint } {
  return { first: subnet.base, last: subnet.base | hostMask(subnet.family, subnet.prefix) }
}

export function contains(subnet: Subnet, family: 4 | 6, value: bigint): boolean {
  const { first, last } = rangeOf(subnet)
  return subnet.family === family && value >= first && value <= last
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false
  const [left, right] = [rangeOf(a), rangeOf(b)]
  return left.first <= right.last && right.first <= left.last
}
