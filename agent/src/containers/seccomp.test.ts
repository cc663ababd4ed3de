import { describe, expect, it } from 'vitest'
import { defaultCapabilities } from './capabilities.ts'
import { kernelAtLeast, parseSeccompProfile, resolveSeccomp } from './seccomp.ts'
import { defaultSeccompProfile } from './seccomp-profile.ts'

const amd64 = { architecture: 'amd64', kernel: '6.18.44-x', capabilities: defaultCapabilities }
const allowed = (context: typeof amd64) =>
  new Set(
    resolveSeccomp(defaultSeccompProfile, context)
      .syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && !rule.args)
      .flatMap((rule) => rule.names),
  )

describe('the default seccomp profile', () => {
  it('lets an ordinary container do what Docker lets it', () => {
    const names = allowed(amd64)
    for (const name of ['read', 'openat2', 'ptrace', 'chroot', 'arch_prctl', 'modify_ldt', 'io_setup', 'mseal', 'statmount'])
      expect(names).toContain(name)
    for (const name of [
      'mount',
      'unshare',
      'setns',
      'bpf',
      'keyctl',
      'add_key',
      'userfaultfd',
      'perf_event_open',
      'io_uring_setup',
      'reboot',
      'kexec_load',
      'open_by_handle_at',
      'syslog',
      'clone',
      'socket',
    ])
      expect(names).not.toContain(name)
  })

  it('follows capabilities and architecture', () => {
    expect(allowed({ ...amd64, capabilities: [...defaultCapabilities, 'CAP_SYS_ADMIN'] })).toContain('mount')
    expect(allowed({ ...amd64, architecture: 'arm64' })).not.toContain('arch_prctl')
    expect(allowed({ ...amd64, kernel: '4.4.0' })).not.toContain('ptrace')
    const clone3 = resolveSeccomp(defaultSeccompProfile, amd64).syscalls.filter((rule) => rule.names.includes('clone3'))
    expect(clone3).toEqual([{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }])
    expect(resolveSeccomp(defaultSeccompProfile, amd64).architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
  })

  it('blocks vsock and kernel crypto sockets', () => {
    const families = resolveSeccomp(defaultSeccompProfile, amd64)
      .syscalls.filter((rule) => rule.names[0] === 'socket')
      .map((rule) => rule.args?.[0]?.value)
    expect(families).toHaveLength(26)
    for (const family of [38, 40, 12, 19, 20, 23, 25, 34, 37]) expect(families.slice(1)).not.toContain(family)
  })
})

describe('parseSeccompProfile', () => {
  it('reads both spellings and refuses nonsense with a sentence', () => {
    const profile = parseSeccompProfile(
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"},{"names":["a"],"action":"SCMP_ACT_ERRNO","args":null}]}',
    )
    expect(resolveSeccomp(profile, amd64).syscalls.map((rule) => rule.names)).toEqual([['chmod'], ['a']])
    for (const text of [
      '',
      '{',
      '[]',
      '{}',
      '{"defaultAction":"x"}',
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":3}',
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{}]}',
    ])
      expect(() => parseSeccompProfile(text)).toThrow('opening seccomp profile failed')
  })
})

it('compares kernels by number', () => {
  expect(kernelAtLeast('6.18.44-fc', '4.8')).toBe(true)
  expect(kernelAtLeast('4.10', '4.8')).toBe(true)
  expect(kernelAtLeast('4.4', '4.8')).toBe(false)
})
