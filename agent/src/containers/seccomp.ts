/** Pure: from a profile with conditions (Docker's format) to the `linux.seccomp` of one container. */

import { EngineError } from '../errors.ts'
import type { LinuxSeccomp } from '../oci/runtime-spec.ts'
import type { SeccompCondition, SeccompProfile, SeccompRule } from './seccomp-profile.ts'

/** What the conditions are asked against. */
export interface SeccompContext {
  /** CAP_… names that the container's first process can have (its bounding set). */
  capabilities: readonly string[]
  /** Go's name of the machine's architecture. */
  architecture: string
  /** `6.18.44-…` as uname gives it. */
  kernel: string
}

const nativeArch: Record<string, string> = {
  amd64: 'SCMP_ARCH_X86_64',
  '386': 'SCMP_ARCH_X86',
  arm64: 'SCMP_ARCH_AARCH64',
  arm: 'SCMP_ARCH_ARM',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  s390x: 'SCMP_ARCH_S390X',
  riscv64: 'SCMP_ARCH_RISCV64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
}

/** Applies every condition; what is left is what the runtime loads. */
export function resolveSeccomp(profile: SeccompProfile, context: SeccompContext): LinuxSeccomp {
  const arch = nativeArch[context.architecture]
  const mapped = profile.archMap?.find((entry) => entry.architecture === arch)
  const architectures = profile.architectures?.length
    ? profile.architectures
    : mapped
      ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
      : arch
        ? [arch]
        : []
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures,
    ...(profile.flags?.length ? { flags: profile.flags } : {}),
    ...(profile.listenerPath ? { listenerPath: profile.listenerPath, listenerMetadata: profile.listenerMetadata ?? '' } : {}),
    syscalls: profile.syscalls
      .filter((rule) => applies(rule, context))
      .map(({ names, action, errnoRet, args }) => ({
        names,
        action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...(args?.length ? { args } : {}),
      })),
  }
}

function applies(rule: SeccompRule, context: SeccompContext): boolean {
  const { includes, excludes } = rule
  if (includes?.arches?.length && !includes.arches.includes(context.architecture)) return false
  if (includes?.caps?.some((cap) => !context.capabilities.includes(cap))) return false
  if (includes?.minKernel && !kernelAtLeast(context.kernel, includes.minKernel)) return false
  if (excludes?.arches?.includes(context.architecture)) return false
  if (excludes?.caps?.some((cap) => context.capabilities.includes(cap))) return false
  if (excludes?.minKernel && kernelAtLeast(context.kernel, excludes.minKernel)) return false
  return true
}

/** Compares major and minor. */
export function kernelAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** A user's profile (`--security-opt seccomp=FILE`: the docker command line sends the file's text). @throws EngineError invalid_argument */
export function parseSeccompProfile(text: string): SeccompProfile {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error))
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('it is not a JSON object')
  const profile = parsed as Partial<SeccompProfile> & { syscalls?: unknown }
  if (typeof profile.defaultAction !== 'string' || !profile.defaultAction.startsWith('SCMP_ACT_')) throw invalid('defaultAction is missing')
  if (profile.architectures?.length && profile.archMap?.length) throw invalid('use either architectures or archMap')
  const rules = profile.syscalls ?? []
  if (!Array.isArray(rules)) throw invalid('syscalls is not a list')
  return { ...profile, defaultAction: profile.defaultAction, syscalls: rules.map((rule) => parseRule(rule)) }
}

function parseRule(value: unknown): SeccompRule {
  const rule = value as Partial<SeccompRule> & {
    name?: unknown
    includes?: SeccompCondition | null
    excludes?: SeccompCondition | null
    args?: unknown
  }
  const names = typeof rule?.name === 'string' ? [rule.name] : rule?.names
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) throw invalid('a rule has no names')
  if (typeof rule.action !== 'string') throw invalid(`the rule for ${names[0]} has no action`)
  if (rule.args !== undefined && rule.args !== null && !Array.isArray(rule.args))
    throw invalid(`the args of the rule for ${names[0]} are not a list`)
  return {
    names,
    action: rule.action,
    errnoRet: rule.errnoRet,
    args: rule.args ?? [],
    includes: rule.includes ?? undefined,
    excludes: rule.excludes ?? undefined,
  }
}

function invalid(reason: string): EngineError {
  return new EngineError('invalid_argument', `opening seccomp profile failed: ${reason}`)
}
