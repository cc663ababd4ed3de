import {
  type DataRoute,
  dataPermissions,
  type Permission,
  type ProcedureName,
  procedurePermissions,
  streamPermissions,
} from '@berth/contract/permission'
import type { ClientEvents } from '@berth/contract/stream'
import { ServerError } from '../errors.ts'

/** What a procedure of the agent needs. @throws ServerError `not_found` for one that is not in the table: what is not written down is not relayed */
export function permissionOfProcedure(name: string): Permission {
  if (!Object.hasOwn(procedurePermissions, name)) throw new ServerError('not_found', `there is no procedure "${name.slice(0, 80)}"`)
  return procedurePermissions[name as ProcedureName]
}

/** What a socket event needs. A shell on the host itself needs more than one in a container. */
export function permissionOfEvent(name: keyof ClientEvents, input: unknown): Permission {
  const target = name === 'terminal.open' ? (input as { target?: object } | undefined)?.target : undefined
  return target && 'hostConsole' in target ? 'host-console' : streamPermissions[name]
}

/** @throws ServerError `not_found` */
export function permissionOfDataRoute(method: string, route: string): { needed: Permission; name: DataRoute } {
  const name = `${method} ${route}`
  if (!Object.hasOwn(dataPermissions, name)) throw new ServerError('not_found', `there is no data route "${name.slice(0, 80)}"`)
  return { needed: dataPermissions[name as DataRoute], name: name as DataRoute }
}

/** Looking is not recorded, except at files; everything else is. */
export function isAudited(needed: Permission): boolean {
  return needed !== 'view'
}

const subjectKeys = [
  'container',
  'name',
  'reference',
  'image',
  'volume',
  'network',
  'id',
  'source',
  'server',
  'exec',
  'path',
  'repository',
] as const

/** The thing that an input is about, for people: the first of the usual names that it has. */
export function subjectOf(input: unknown): string {
  if (typeof input === 'string') return input.slice(0, 200)
  if (typeof input !== 'object' || input === null) return ''
  const record = input as Record<string, unknown>
  if (typeof record.hostConsole === 'string') return 'host console'
  const parts: string[] = []
  // Looking at what would go is not the same as letting it go.
  if (record.dryRun === true) parts.push('dry run')
  for (const key of subjectKeys) if (typeof record[key] === 'string' && record[key] !== '') parts.push(record[key] as string)
  if (parts.length === 0)
    for (const key of ['root', 'target', 'options'])
      if (typeof record[key] === 'object' && record[key] !== null) return subjectOf(record[key])
  const root = typeof record.root === 'object' && record.root !== null ? subjectOf(record.root) : ''
  return [root, ...parts.slice(0, 2)].filter(Boolean).join(' ').slice(0, 300)
}
