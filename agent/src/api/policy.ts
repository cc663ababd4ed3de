import type { ContainerOptions } from '@berth/contract/container'
import type { Permission } from '@berth/contract/permission'
import { rolePermissions } from '@berth/contract/permission'
import type { HostPolicy } from '@berth/contract/system'
import { requireBindSource, requireVolumeDevice } from '../containers/bind-sources.ts'
import { EngineError } from '../errors.ts'
import type { ApiContext, Caller } from './context.ts'

/** Whether `caller` may use a thing that needs `needed` on a host with `policy`. @throws permission_denied with the reason in words. */
export function requirePermission(caller: Caller, needed: Permission, policy: HostPolicy): void {
  if (caller.expires !== null && caller.expires * 1000 < Date.now())
    throw new EngineError('permission_denied', 'the claim of this request has expired; ask again')
  if (!rolePermissions[caller.role].includes(needed))
    throw new EngineError('permission_denied', `the role ${caller.role} lacks the permission "${needed}"`)
  if (caller.via === 'local') return
  if (policy.readOnly && needed !== 'view')
    throw new EngineError('permission_denied', "this host's policy is read-only: only looking is allowed (agent.json, policy.readOnly)")
  if (policy.noExec && needed === 'shell')
    throw new EngineError('permission_denied', "this host's policy allows no shells in containers (agent.json, policy.noExec)")
  if (policy.noHostConsole && needed === 'host-console')
    throw new EngineError('permission_denied', "this host's policy allows no console on the host (agent.json, policy.noHostConsole)")
}

/** Capabilities that make root inside as good as root outside; refused where the policy forbids privileged containers. */
const powerful = new Set(
  'ALL SYS_ADMIN SYS_MODULE SYS_PTRACE SYS_RAWIO SYS_BOOT SYS_TIME DAC_READ_SEARCH BPF PERFMON MAC_ADMIN MAC_OVERRIDE NET_ADMIN SYSLOG'.split(
    ' ',
  ),
)

/** Whether the host's policy allows such a container to a caller from a dashboard. @throws permission_denied naming the option. */
export function requireAllowedOptions(caller: Caller, options: ContainerOptions, policy: HostPolicy): void {
  if (caller.via === 'local') return
  if (policy.noPrivileged) {
    const reason = privilegeOf(options)
    if (reason)
      throw new EngineError(
        'permission_denied',
        `this host's policy allows no privileged containers, and ${reason} (agent.json, policy.noPrivileged)`,
      )
  }
  if (policy.bindSources === null) return
  for (const mount of options.mounts) {
    if (mount.type === 'bind') requireBindSource(mount.source, policy.bindSources)
    if (mount.type === 'volume') requireVolumeOptions(caller, mount.volumeOptions, policy)
  }
}

/** A volume's `device` may be a directory or a disk of the host too. */
export function requireVolumeOptions(caller: Caller, options: Record<string, string>, policy: HostPolicy): void {
  if (caller.via === 'local' || policy.bindSources === null) return
  requireVolumeDevice(options, policy.bindSources)
}

/**
 * What a container takes over from others counts as its own: their mounts by --volumes-from, their view of the host by `container:NAME`.
 * @throws permission_denied as requireAllowedOptions; not_found for a container that is not there
 */
export async function requireAllowedContainer(context: Pick<ApiContext, 'engine' | 'caller'>, options: ContainerOptions): Promise<void> {
  const { caller, engine } = context
  const { policy } = engine.config
  requireAllowedOptions(caller, options, policy)
  if (caller.via === 'local') return
  if (policy.bindSources !== null) {
    for (const entry of options.volumesFrom) {
      const { mounts } = await engine.containers.inspect(entry.split(':')[0] as string)
      for (const mount of mounts) if (mount.type === 'bind') requireBindSource(mount.source, policy.bindSources)
    }
  }
  if (!policy.noPrivileged) return
  for (const mode of [options.networkMode, options.pidMode, options.ipcMode]) {
    if (mode.startsWith('container:')) await requireUnprivileged(context, mode.slice('container:'.length))
  }
}

/** For whatever runs inside a container that is there: one that was made privileged on the host itself would be a way around the policy. @throws permission_denied */
export async function requireUnprivileged({ caller, engine }: Pick<ApiContext, 'engine' | 'caller'>, container: string): Promise<void> {
  if (caller.via === 'local' || !engine.config.policy.noPrivileged) return
  const { name, options } = await engine.containers.inspect(container)
  const reason = privilegeOf(options)
  if (reason)
    throw new EngineError(
      'permission_denied',
      `this host's policy allows no privileged containers, and container "${name}" is one: ${reason} (agent.json, policy.noPrivileged)`,
    )
}

function privilegeOf(options: ContainerOptions): string | null {
  if (options.privileged) return '--privileged is set'
  const capability = options.capAdd.find((name) => powerful.has(name.toUpperCase().replace(/^CAP_/, '')))
  if (capability) return `--cap-add ${capability} is as good as privileged`
  const security = options.securityOpt.find((word) => /unconfined|systempaths|label[:=]disable|^seccomp=(?!builtin$|default$)/.test(word))
  if (security) return `--security-opt ${security} takes its confinement away`
  if (options.pidMode === 'host') return '--pid host shows it every process of the host'
  if (options.ipcMode === 'host') return "--ipc host gives it the host's shared memory"
  if (options.networkMode === 'host') return "--network host gives it the host's network"
  if (options.cgroupnsMode === 'host') return "--cgroupns host shows it the host's cgroups"
  if (options.utsMode === 'host') return '--uts host lets it rename the host'
  if (options.deviceRequests.length) return '--gpus gives it devices of the host'
  if (options.devices.length) return `--device ${options.devices[0]?.hostPath} gives it a device of the host`
  if (options.deviceCgroupRules.length) return '--device-cgroup-rule opens devices of the host'
  if (options.cgroupParent) return '--cgroup-parent moves it out of its place'
  if (options.maskedPaths || options.readonlyPaths) return 'it changes the masked paths'
  return null
}
