import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addPerson, Browser, openTestDashboard, type TestDashboard } from '../testing/dashboard.fixture.ts'
import { totpCode } from './totp.ts'

// Real key derivation: generous on a machine that does other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let dashboard: TestDashboard
let admin: Browser
const ada = { email: 'ada@example.com', password: 'correct horse battery' }

beforeAll(async () => {
  dashboard = await openTestDashboard()
})
afterAll(() => dashboard.end())

describe('the first account', () => {
  it('needs the token that the server printed', async () => {
    const browser = new Browser(dashboard.base)
    expect((await browser.query('setup.state')).data).toEqual({ needed: true })
    const refused = await browser.mutate('setup.create', {
      token: 'setup_guess',
      name: 'Eve',
      email: 'eve@example.com',
      password: 'correct horse battery',
    })
    expect(refused.error?.code).toBe('permission_denied')
    expect(browser.cookie).toBe('')
  })

  it('refuses a password that anybody would guess, and leaves nothing behind', async () => {
    const browser = new Browser(dashboard.base)
    for (const password of ['short', 'password123', 'aaaaaaaaaaaa'])
      expect(
        (await browser.mutate('setup.create', { token: dashboard.setupToken, name: 'Ada', email: ada.email, password })).error?.code,
      ).toBe('invalid_argument')
    expect((await browser.query('setup.state')).data).toEqual({ needed: true })
  })

  it('is made once, even when two ask at the same instant', async () => {
    const browsers = [new Browser(dashboard.base), new Browser(dashboard.base)]
    const answers = await Promise.all(
      browsers.map((one, index) =>
        one.mutate('setup.create', {
          token: dashboard.setupToken,
          name: 'Ada',
          email: index ? 'other@example.com' : ada.email,
          password: ada.password,
        }),
      ),
    )
    expect(answers.filter((answer) => answer.error === null)).toHaveLength(1)
    expect(answers.find((answer) => answer.error)?.error?.code).toBe('failed_precondition')
    admin = browsers[answers.findIndex((answer) => answer.error === null)] as Browser
    const { email } = (await admin.query('me.get')).data as { email: string }
    ada.email = email
    expect((await admin.query('me.get')).data).toMatchObject({ administrator: true, grants: [{ scope: '*', role: 'admin' }] })
  })

  it('is nobody else afterwards: there is no open sign-up', async () => {
    const answer = await new Browser(dashboard.base).mutate('setup.create', {
      token: dashboard.setupToken,
      name: 'Eve',
      email: 'eve@example.com',
      password: 'correct horse battery',
    })
    expect(answer.error?.code).toBe('failed_precondition')
  })
})

describe('sessions', () => {
  it('are a cookie that scripts cannot read and other sites do not send', async () => {
    const browser = new Browser(dashboard.base)
    const answer = await browser.mutate('session.signIn', ada)
    expect(answer.headers.get('set-cookie')).toMatch(/^berth-session=bs_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
    expect(
      JSON.stringify(
        await dashboard.rooms.sessions.list(
          (await browser.query('me.get')).data ? ((await browser.query('me.get')).data as { id: string }).id : '',
          null,
        ),
      ),
    ).not.toContain(browser.cookie.split('=')[1])
  })

  it('never promote what the browser held before', async () => {
    const browser = new Browser(dashboard.base)
    browser.cookie = `berth-session=bs_${'x'.repeat(43)}`
    const planted = browser.cookie
    await browser.mutate('session.signIn', ada)
    expect(browser.cookie).not.toBe(planted)
    const before = browser.cookie
    await browser.mutate('session.signIn', ada)
    expect(browser.cookie).not.toBe(before)
    const old = new Browser(dashboard.base)
    old.cookie = before
    expect((await old.query('me.get')).error?.code).toBe('unauthenticated')
  })

  it('can be ended from elsewhere, and the cookie is worth nothing then', async () => {
    const browser = new Browser(dashboard.base)
    await browser.mutate('session.signIn', ada)
    const { ended } = (await admin.mutate('sessions.revokeOthers')).data as { ended: number }
    expect(ended).toBeGreaterThan(0)
    expect((await browser.query('me.get')).error?.code).toBe('unauthenticated')
    expect((await admin.query('me.get')).error).toBeNull()
  })

  it('refuse requests that another site caused', async () => {
    const evil = new Browser(dashboard.base, 'https://evil.example')
    evil.cookie = admin.cookie
    expect((await evil.mutate('sessions.revokeOthers')).error?.code).toBe('permission_denied')
    expect((await admin.call('POST', '/api/trpc/me.rename', { name: 'X' }, { 'content-type': 'text/plain' })).status).toBe(400)
    expect((await admin.call('POST', '/api/trpc/me.rename', { name: 'X' }, { 'sec-fetch-site': 'cross-site' })).error?.code).toBe(
      'permission_denied',
    )
    await expect(evil.socket('/dashboard')).rejects.toThrow()
    expect(((await admin.query('me.get')).data as { name: string }).name).toBe('Ada')
  })

  it('are refused on a socket without a cookie', async () => {
    await expect(new Browser(dashboard.base).socket('/dashboard')).rejects.toThrow(/sign in/)
  })
})

describe('a second step', () => {
  it('is asked for after the password, takes each code once, and gives nothing before', async () => {
    const person = await addPerson(dashboard, admin, 'grace', [{ scope: '*', role: 'viewer' }])
    const password = 'grace has a long secret'
    expect((await person.mutate('me.beginTotp', { password: 'not it at all' })).error?.code).toBe('permission_denied')
    const { secret } = (await person.mutate('me.beginTotp', { password })).data as { secret: string }
    const now = Math.floor(Date.now() / 30_000)
    const { recoveryCodes } = (await person.mutate('me.confirmTotp', { code: totpCode(secret, now) })).data as { recoveryCodes: string[] }
    expect(recoveryCodes).toHaveLength(10)

    const browser = new Browser(dashboard.base)
    expect((await browser.mutate('session.signIn', { email: 'grace@example.com', password })).data).toEqual({ next: 'code' })
    expect((await browser.query('me.get')).error?.code).toBe('unauthenticated')
    await expect(browser.socket('/dashboard')).rejects.toThrow()
    expect((await browser.mutate('session.confirmCode', { code: totpCode(secret, now) })).error?.code).toBe('unauthenticated')
    expect((await browser.mutate('session.confirmCode', { code: totpCode(secret, now + 1) })).data).toEqual({ next: 'done' })
    expect((await browser.query('me.get')).error).toBeNull()

    const other = new Browser(dashboard.base)
    await other.mutate('session.signIn', { email: 'grace@example.com', password })
    expect((await other.mutate('session.confirmCode', { code: recoveryCodes[0] })).data).toEqual({ next: 'done' })
    const again = new Browser(dashboard.base)
    await again.mutate('session.signIn', { email: 'grace@example.com', password })
    expect((await again.mutate('session.confirmCode', { code: recoveryCodes[0] })).error?.code).toBe('unauthenticated')
  })
})

describe('API tokens', () => {
  it('do what their scope allows, no more than their person may, and never the account', async () => {
    const { token } = (await admin.mutate('tokens.create', { name: 'ci', scope: '*', role: 'viewer', days: 1 })).data as { token: string }
    const program = (method: 'GET' | 'POST', path: string, input?: unknown) =>
      new Browser(dashboard.base).call(method, path, input, { authorization: `Bearer ${token}`, origin: '' })
    expect((await program('GET', '/api/trpc/me.get')).data).toMatchObject({
      via: 'token',
      administrator: false,
      permissions: { everywhere: ['view'] },
    })
    for (const [procedure, input] of [
      ['tokens.create', { name: 'x', scope: '*', role: 'admin', days: 1 }],
      ['me.changePassword', { current: ada.password, next: 'another long secret' }],
      ['people.setGrants', { person: 'x', grants: [] }],
    ] as const)
      expect((await program('POST', `/api/trpc/${procedure}`, input)).error?.code).toBe('permission_denied')
    const [info] = (await admin.query('tokens.list')).data as { id: string }[]
    expect(JSON.stringify(info)).not.toContain(token.slice(12))
    await admin.mutate('tokens.revoke', { id: info?.id })
    expect((await program('GET', '/api/trpc/me.get')).error?.code).toBe('unauthenticated')
  })
})

describe('people', () => {
  it('come in by an invitation once, with the roles that it says', async () => {
    const { url } = (await admin.mutate('invitations.create', { email: 'lin@example.com', grants: [{ scope: '*', role: 'operator' }] }))
      .data as { url: string }
    const token = url.split('/invite/')[1]
    const browser = new Browser(dashboard.base)
    expect((await browser.query('invitations.read', { token })).data).toEqual({ email: 'lin@example.com', reset: false })
    const answers = await Promise.all(
      [1, 2].map(() => browser.mutate('invitations.accept', { token, name: 'Lin', password: 'lin has a long secret' })),
    )
    expect(answers.filter((answer) => answer.error === null)).toHaveLength(1)
    await browser.mutate('session.signIn', { email: 'LIN@example.com', password: 'lin has a long secret' })
    expect((await browser.query('me.get')).data).toMatchObject({ administrator: false, grants: [{ scope: '*', role: 'operator' }] })
    expect((await browser.query('people.list')).error?.code).toBe('permission_denied')
    expect((await browser.query('audit.list')).error?.code).toBe('permission_denied')
  })

  it('always leave somebody who is Admin on all hosts', async () => {
    const { id } = (await admin.query('me.get')).data as { id: string }
    expect((await admin.mutate('people.setGrants', { person: id, grants: [] })).error?.code).toBe('failed_precondition')
    expect((await admin.mutate('people.setDisabled', { person: id, disabled: true })).error?.code).toBe('failed_precondition')
    expect((await admin.mutate('people.remove', { person: id })).error?.code).toBe('failed_precondition')
  })

  it('are out at once when they are disabled', async () => {
    const person = await addPerson(dashboard, admin, 'mallory', [{ scope: '*', role: 'viewer' }])
    const socket = await person.socket('/dashboard')
    const ended = new Promise((resolve) => socket.once('session.ended', resolve))
    await admin.mutate('people.setDisabled', { person: person.id, disabled: true })
    await ended
    expect((await person.query('me.get')).error?.code).toBe('unauthenticated')
    expect(
      (await person.mutate('session.signIn', { email: 'mallory@example.com', password: 'mallory has a long secret' })).error?.code,
    ).toBe('unauthenticated')
    socket.disconnect()
  })
})

describe('guessing a password', () => {
  it('is slowed, also for the right one, and recorded', async () => {
    const browser = new Browser(dashboard.base)
    const codes: (string | undefined)[] = []
    for (let attempt = 0; attempt < 6; attempt += 1)
      codes.push((await browser.mutate('session.signIn', { email: 'grace@example.com', password: `guess number ${attempt}` })).error?.code)
    expect(codes.at(-1)).toBe('resource_exhausted')
    expect((await browser.mutate('session.signIn', { email: 'grace@example.com', password: 'grace has a long secret' })).error?.code).toBe(
      'resource_exhausted',
    )
    const { records } = (await admin.query('audit.list', { action: 'session.signIn', outcome: 'failed' })).data as {
      records: { subject: string; outcome: string; detail: string }[]
    }
    expect(records.filter((record) => record.subject === 'grace@example.com').length).toBeGreaterThanOrEqual(6)
    expect(JSON.stringify(records)).not.toContain('guess number')
  })
})
