import type { ContainerSummary } from '@berth/contract/container'

/** Go's zero time, as it stands in inspect for "never". */
export const zeroTime = '0001-01-01T00:00:00Z'

/** go-units' HumanDuration, which `docker ps` prints. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.floor(seconds / 3600 + 0.5)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`
  return `${Math.floor(seconds / 3600 / 24 / 365)} years`
}

/** The STATUS column. */
export function statusText(state: ContainerSummary['state'], now = Date.now()): string {
  const since = (at: string | null) => humanDuration(Math.max(0, now - (at ? Date.parse(at) : now)))
  switch (state.status) {
    case 'running':
      if (state.health === 'none') return `Up ${since(state.startedAt)}`
      return `Up ${since(state.startedAt)} (${state.health === 'starting' ? 'health: starting' : state.health})`
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`
  }
}

/** Milliseconds until statusText may say something else, by the clock alone. */
export function untilStatusMoves(state: ContainerSummary['state'], now: number): number {
  const at = ['running', 'paused'].includes(state.status) ? state.startedAt : state.finishedAt
  if (!at) return Number.POSITIVE_INFINITY
  const age = Math.max(0, now - Date.parse(at))
  const unit = age < 60_000 ? 1000 : 60_000
  return unit - (age % unit)
}

/** The COMMAND column: arguments with a space in single quotes. */
export function commandText(command: readonly string[]): string {
  const [path = '', ...args] = command
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ')
}

/** Seconds since 1970 of an RFC 3339 time; 0 for none. */
export function unixSeconds(at: string | null): number {
  return at ? Math.floor(Date.parse(at) / 1000) : 0
}

/** Nanoseconds of a Docker duration; undefined stays. */
export function nanoseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds * 1e6
}

// A map, because Biome's formatter rewrites octal property names into other numbers.
const goKinds = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
])

/** Linux st_mode as Go's os.FileMode, which X-Docker-Container-Path-Stat carries. */
export function goFileMode(mode: number): number {
  let result = (mode & 0o777) + (goKinds.get(mode & 0o170000) ?? 0)
  if (mode & 0o4000) result += 2 ** 23
  if (mode & 0o2000) result += 2 ** 22
  if (mode & 0o1000) result += 2 ** 20
  return result
}
