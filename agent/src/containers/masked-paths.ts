import { existsSync, readFileSync } from 'node:fs'

/** Docker's of version 28 (moby: oci/defaults.go); interrupts and thermal_throttle tell other tenants' work apart (GHSA-6fw5-f8r9-fgfm). */
const always = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
]

export const defaultReadonlyPaths: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

let known: readonly string[] | undefined

/** What a container does not see unless it says otherwise: Docker's list, with the throttle counters of the processors that this machine may have. Read once. */
export function defaultMaskedPaths(): readonly string[] {
  known ??= [...always, ...throttlePaths(processors(readFileSync('/sys/devices/system/cpu/possible', 'utf8')))]
  return known
}

function throttlePaths(cpus: readonly number[]): string[] {
  return cpus.map((cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`).filter((path) => existsSync(path))
}

/** The kernel's list format, `0-3,8` (cpuset(7)). */
export function processors(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
}
