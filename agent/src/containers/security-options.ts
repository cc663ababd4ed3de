/** Pure: `--security-opt`. */
import { EngineError } from '../errors.ts'
import { parseSeccompProfile } from './seccomp.ts'
import type { SeccompProfile } from './seccomp-profile.ts'

export interface SecurityOptions {
  noNewPrivileges: boolean
  /** The user's own profile; null = the default one. */
  seccomp: SeccompProfile | null
  seccompUnconfined: boolean
  /** '' = none. */
  apparmorProfile: string
  systemPathsUnconfined: boolean
}

/**
 * @param hasApparmor whether the kernel enforces AppArmor; a profile asked for without it is refused, never ignored
 * @throws EngineError invalid_argument for words that are unknown or cannot be honoured here
 */
export function parseSecurityOptions(options: readonly string[], hasApparmor: boolean): SecurityOptions {
  const result: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: null,
    seccompUnconfined: false,
    apparmorProfile: '',
    systemPathsUnconfined: false,
  }
  for (const option of options) {
    const match = /^([^=:]+)(?:[=:]([\s\S]*))?$/.exec(option)
    const name = match?.[1] ?? ''
    const value = match?.[2] ?? ''
    switch (name) {
      case 'no-new-privileges':
        if (value !== '' && value !== 'true' && value !== 'false') throw invalid(option)
        result.noNewPrivileges = value !== 'false'
        break
      case 'seccomp':
        result.seccompUnconfined = value === 'unconfined'
        result.seccomp = value === 'unconfined' || value === 'builtin' ? null : parseSeccompProfile(value)
        break
      case 'apparmor':
        if (value !== 'unconfined' && !hasApparmor)
          throw new EngineError(
            'invalid_argument',
            `this kernel does not enforce AppArmor, so the profile ${JSON.stringify(value)} cannot be applied; leave it out`,
          )
        result.apparmorProfile = value === 'unconfined' ? '' : value
        break
      case 'label':
        // SELinux is not supported; to switch it off is already so.
        if (value !== 'disable')
          throw new EngineError('invalid_argument', `SELinux labels are not supported here: leave out "${option}" or use label=disable`)
        break
      case 'systempaths':
        if (value !== 'unconfined') throw invalid(option)
        result.systemPathsUnconfined = true
        break
      default:
        throw invalid(option)
    }
  }
  return result
}

function invalid(option: string): EngineError {
  return new EngineError('invalid_argument', `invalid --security-opt 2: ${JSON.stringify(option)}`)
}
