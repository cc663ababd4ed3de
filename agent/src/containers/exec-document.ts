import type { ExecOptions } from '@berth/contract/exec'
import type { ProcessSpec } from '../oci/runtime-spec.ts'
import { resolveCapabilities } from './capabilities.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { erasedNames, mergeEnvironment, processEnvironment } from './effective.ts'
import type { ResolvedUser } from './passwd.ts'
import { parseSecurityOptions } from './security-options.ts'
import { resourceLimits } from './spec.ts'

/** The OCI `process` of one more process in a container (pure). */
export function execProcess(
  context: Context,
  container: Container,
  options: ExecOptions,
  user: ResolvedUser,
  size: { cols: number; rows: number } | null = null,
  linked: readonly string[] = [],
): ProcessSpec {
  const { record } = container
  const capabilities = resolveCapabilities(
    record.options.capAdd,
    record.options.capDrop,
    record.options.privileged || options.privileged,
    context.host.capabilities,
  )
  const security = parseSecurityOptions(record.options.securityOpt, context.host.apparmor)
  const inEffect = user.uid === 0 ? capabilities : []
  const environment = processEnvironment(record.effective, options.terminal, user.home, linked, erasedNames(record.options))
  return {
    terminal: options.terminal,
    // The process runs before its monitor could set the size.
    ...(size ? { consoleSize: { height: size.rows, width: size.cols } } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: [...new Set([user.gid, ...user.additionalGids])] },
    args: options.cmd,
    env: mergeEnvironment(environment, options.env),
    cwd: options.workingDir || record.effective.workingDir || '/',
    capabilities: { bounding: capabilities, effective: inEffect, permitted: inEffect, inheritable: [], ambient: [] },
    rlimits: resourceLimits(record.options, context.host),
    noNewPrivileges: security.noNewPrivileges,
    ...(security.apparmorProfile ? { apparmorProfile: security.apparmorProfile } : {}),
    ...(record.options.oomScoreAdj ? { oomScoreAdj: record.options.oomScoreAdj } : {}),
  }
}

/** Name of an exec's event: as in Docker with a blank behind the program, whether arguments follow or not. */
export function execEvent(action: 'exec_create' | 'exec_start', [program = '', ...args]: readonly string[]): string {
  return `${action}: ${program} ${args.join(' ')}`
}
