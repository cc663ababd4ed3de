/** Pure: device nodes and device cgroup rules. */
import { EngineError } from '../errors.ts'
import type { DeviceNode, DeviceRule } from '../oci/runtime-spec.ts'

export interface DeviceFacts {
  /** Nodes beyond the runtime's own (null, zero, full, random, urandom, tty). */
  nodes: DeviceNode[]
  /** Rules for them, in order. */
  rules: DeviceRule[]
}

/**
 * Docker's allow list: nothing, then making any node, and the devices every container has (console, pts, ptmx, tun is not among them). The basic ones are
 * the runtime's to add as well; naming them keeps every runtime alike.
 */
export const defaultDeviceRules: DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
]

/** Rules of `--device` and `--device-cgroup-rule`. @throws EngineError invalid_argument */
export function deviceRules(facts: DeviceFacts, cgroupRules: readonly string[]): DeviceRule[] {
  return [...facts.rules, ...cgroupRules.map(parseDeviceCgroupRule)]
}

/** `c 7:* rwm`. @throws EngineError invalid_argument in Docker's words */
export function parseDeviceCgroupRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text)
  if (!match) throw new EngineError('invalid_argument', `invalid device cgroup rule format: '${text}'`)
  const rule: DeviceRule = { allow: true, type: match[1] as string, access: match[4] as string }
  if (match[2] !== '*') rule.major = Number(match[2])
  if (match[3] !== '*') rule.minor = Number(match[3])
  return rule
}

/** `rwm` in any order, each once. */
export function checkDevicePermissions(text: string): void {
  if (!/^(?=[rwm])r?w?m?$|^[rwm]{1,3}$/.test(text) || new Set(text).size !== text.length)
    throw new EngineError('invalid_argument', `invalid device permissions ${JSON.stringify(text)}: use letters of "rwm"`)
}
