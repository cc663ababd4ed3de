import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { containerOptions } from '@berth/contract/container'
import { dataPermissions, procedurePermissions, rolePermissions, streamPermissions } from '@berth/contract/permission'
import { clientEventNames } from '@berth/contract/stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller } from './context.ts'
import { dataHandlers } from './data/serve-data.ts'
import { requireAllowedOptions, requirePermission } from './policy.ts'

const open = { readOnly: false, noExec: false, noHostConsole: true, noPrivileged: false, bindSources: null }
const caller = (role: Caller['role']): Caller => ({
  user: 'u',
  userName: 'u',
  role,
  from: '',
  via: 'claim',
  expires: Date.now() / 1000 + 30,
})

describe('the permission tables', () => {
  it('name every socket event and every data route, and nothing else', () => {
    expect(Object.keys(streamPermissions).sort()).toEqual([...clientEventNames].sort())
    expect(Object.keys(dataHandlers).sort()).toEqual(Object.keys(dataPermissions).sort())
  })
})

describe('a role', () => {
  const allowed = (role: keyof typeof rolePermissions) =>
    Object.entries({ ...procedurePermissions, ...streamPermissions, ...dataPermissions })
      .filter(([, needed]) => rolePermissions[role].includes(needed))
      .map(([name]) => name)
  const all = allowed('admin')

  it('Viewer changes nothing and reads no file', () => {
    const changes =
      /\.(create|start|stop|kill|restart|pause|unpause|rename|remove|update|recreate|prune|pull|push|tag|commit|login|logout|test|deleteTag|connect|disconnect|clone|cancel|mkdir)$/
    expect(
      allowed('viewer').filter(
        (name) => changes.test(name) || /^(exec\.shells|files|terminal|(PUT|POST) |GET (files|containers|images|volumes))/.test(name),
      ),
    ).toEqual([])
  })

  it('Operator may do everything but shells and files', () => {
    const denied = all.filter((name) => !allowed('operator').includes(name))
    expect(denied.sort()).toEqual(
      [
        ...['exec.create', 'exec.start', 'exec.kill', 'exec.shells'],
        ...['files.list', 'files.stat', 'files.mkdir', 'files.remove', 'files.rename'],
        ...['terminal.open', 'terminal.input', 'terminal.resize', 'terminal.credit', 'terminal.eof'],
        ...['GET files/archive', 'GET files/content', 'PUT files/archive', 'PUT files/content'],
        ...['GET containers/export', 'GET volumes/backup', 'POST volumes/restore'],
      ].sort(),
    )
  })

  it('Developer may do everything but what belongs to the host itself, which is for Admin', () => {
    expect(allowed('developer').sort()).toEqual(all.sort())
    expect(rolePermissions.admin.filter((one) => !rolePermissions.developer.includes(one))).toEqual(['admin', 'host-console'])
  })
})

describe('requirePermission', () => {
  it('goes by role, then by the host’s policy, and names what is missing', () => {
    expect(() => requirePermission(caller('viewer'), 'operate', open)).toThrow('the role viewer lacks the permission "operate"')
    expect(() => requirePermission(caller('operator'), 'shell', open)).toThrow('"shell"')
    requirePermission(caller('developer'), 'shell', open)
    expect(() => requirePermission(caller('developer'), 'shell', { ...open, noExec: true })).toThrow('policy.noExec')
    expect(() => requirePermission(caller('admin'), 'operate', { ...open, readOnly: true })).toThrow('read-only')
    requirePermission(caller('admin'), 'view', { ...open, readOnly: true })
    expect(() => requirePermission(caller('admin'), 'host-console', open)).toThrow('policy.noHostConsole')
    expect(() => requirePermission({ ...caller('admin'), expires: 1 }, 'view', open)).toThrow('expired')
    requirePermission({ ...caller('admin'), via: 'local', expires: null }, 'host-console', { ...open, readOnly: true })
  })
})

describe('requireAllowedOptions', () => {
  let root: string
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-policy-'))
    mkdirSync(join(root, 'allowed'))
    symlinkSync('/etc', join(root, 'allowed', 'trap'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  const options = (more: object) => containerOptions.parse({ image: 'x', ...more })

  it.each([
    { privileged: true },
    { capAdd: ['CAP_SYS_ADMIN'] },
    { capAdd: ['all'] },
    { securityOpt: ['seccomp=unconfined'] },
    { pidMode: 'host' },
    { networkMode: 'host' },
    { devices: [{ hostPath: '/dev/sda', containerPath: '/dev/sda' }] },
    { deviceCgroupRules: ['a *:* rwm'] },
    { maskedPaths: [] },
  ])('refuses %o where privileged containers are forbidden', (more) => {
    expect(() => requireAllowedOptions(caller('admin'), options(more), { ...open, noPrivileged: true })).toThrow('policy.noPrivileged')
    requireAllowedOptions(caller('admin'), options(more), open)
  })

  it('follows links and dots before it compares bind sources', () => {
    const policy = { ...open, bindSources: [join(root, 'allowed')] }
    const bind = (source: string) => options({ mounts: [{ type: 'bind', source, target: '/x' }] })
    requireAllowedOptions(caller('admin'), bind(join(root, 'allowed', 'not', 'there', 'yet')), policy)
    for (const source of [
      '/etc',
      join(root, 'allowed', 'trap'),
      join(root, 'allowed', 'trap', 'ssh'),
      `${root}/allowed/../other`,
      `${root}/allowed-not`,
    ])
      expect(() => requireAllowedOptions(caller('admin'), bind(source), policy), source).toThrow('policy.bindSources')
    const volume = options({
      mounts: [{ type: 'volume', source: 'v', target: '/x', volumeOptions: { type: 'none', o: 'bind', device: '/etc' } }],
    })
    expect(() => requireAllowedOptions(caller('admin'), volume, policy)).toThrow('policy.bindSources')
  })
})
