import type { Role } from './claim.ts'

/** What a role may do, in words that a disabled control can show. */
export const permissions = ['view', 'operate', 'shell', 'files', 'build', 'create', 'configure', 'admin', 'host-console'] as const
export type Permission = (typeof permissions)[number]

/**
 * Operator is everything but shells and files, and Admin alone has what is the host's own (host-console).
 * view: look at everything but secrets and the content of files. operate: start stop restart kill pause update limits, pull, prune. create: create and remove containers, images, volumes, networks.
 * shell: exec, attach, terminal input. files: look into and change files of containers and volumes, backup and restore. build: build images.
 * configure: registries and credentials. host-console: a shell on the host itself.
 */
export const rolePermissions: Record<Role, readonly Permission[]> = {
  viewer: ['view'],
  operator: ['view', 'operate', 'create', 'configure', 'build'],
  developer: ['view', 'operate', 'create', 'configure', 'build', 'shell', 'files'],
  admin: permissions,
}

/** Every tRPC procedure of the agent and what it needs. A test compares it with the router. */
export const procedurePermissions = {
  'system.info': 'view',
  'system.diskUsage': 'view',
  'system.history': 'view',
  'system.prune': 'create',
  'images.list': 'view',
  'images.inspect': 'view',
  'images.history': 'view',
  'images.pull': 'operate',
  'images.push': 'configure',
  'images.tag': 'create',
  'images.remove': 'create',
  'images.prune': 'create',
  'images.search': 'view',
  'images.commit': 'create',
  'registries.list': 'view',
  'registries.login': 'configure',
  'registries.logout': 'configure',
  'registries.test': 'configure',
  'registries.catalog': 'view',
  'registries.tags': 'view',
  'registries.deleteTag': 'configure',
  'containers.list': 'view',
  'containers.inspect': 'view',
  'containers.create': 'create',
  'containers.start': 'operate',
  'containers.stop': 'operate',
  'containers.kill': 'operate',
  'containers.restart': 'operate',
  'containers.pause': 'operate',
  'containers.unpause': 'operate',
  'containers.rename': 'create',
  'containers.remove': 'create',
  'containers.update': 'operate',
  'containers.recreate': 'create',
  'containers.top': 'view',
  'containers.changes': 'view',
  'containers.prune': 'create',
  'containers.statsHistory': 'view',
  'logs.read': 'view',
  'exec.create': 'shell',
  'exec.start': 'shell',
  'exec.inspect': 'view',
  'exec.list': 'view',
  'exec.kill': 'shell',
  'exec.shells': 'shell',
  'files.list': 'files',
  'files.stat': 'files',
  'files.mkdir': 'files',
  'files.remove': 'files',
  'files.rename': 'files',
  'volumes.list': 'view',
  'volumes.inspect': 'view',
  'volumes.create': 'create',
  'volumes.remove': 'create',
  'volumes.prune': 'create',
  'volumes.clone': 'create',
  'networks.list': 'view',
  'networks.inspect': 'view',
  'networks.create': 'create',
  'networks.remove': 'create',
  'networks.connect': 'create',
  'networks.disconnect': 'create',
  'networks.prune': 'create',
  'events.list': 'view',
  'operations.list': 'view',
  'operations.inspect': 'view',
  'operations.cancel': 'operate',
} as const satisfies Record<string, Permission>
export type ProcedureName = keyof typeof procedurePermissions

/** Every socket event and what it needs; `terminal.open` on the host itself needs `host-console` instead. */
export const streamPermissions = {
  'events.open': 'view',
  'logs.open': 'view',
  'stats.open': 'view',
  'operations.open': 'view',
  'terminal.open': 'shell',
  'terminal.input': 'shell',
  'terminal.resize': 'shell',
  'terminal.credit': 'shell',
  'terminal.eof': 'shell',
  close: 'view',
} as const satisfies Record<string, Permission>

/**
 * Bulk bytes over HTTP: `METHOD /data/<name>` on the agent's port, relayed by the dashboard under `/api/hosts/<host id>/data/<name>`.
 * GET answers a body, PUT/POST takes one. Long ones start an operation and answer its id in `x-berth-operation`.
 */
export const dataPermissions = {
  'GET files/archive': 'files', // ?container|volume&path → tar
  'GET files/content': 'files', // ?container|volume&path → one file's bytes, Content-Disposition attachment
  'PUT files/archive': 'files', // ?container|volume&path, body tar
  'PUT files/content': 'files', // ?container|volume&path (the file), body bytes
  'GET logs/download': 'view', // ?container&timestamps → text
  'GET containers/export': 'files', // ?container → tar
  'GET images/save': 'operate', // ?image (repeated) → tar
  'POST images/load': 'create', // body tar → { operation }
  'POST images/import': 'create', // ?reference&message&change, body tar → { operation }
  'POST build': 'build', // ?options=<JSON of buildOptions>, body tar (any compression) → { operation }
  'GET volumes/backup': 'files', // ?volume → tar.gz
  'POST volumes/restore': 'files', // ?volume, body tar.gz → { operation }
} as const satisfies Record<string, Permission>
export type DataRoute = keyof typeof dataPermissions
