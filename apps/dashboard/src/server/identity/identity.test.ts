import crypto from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addPerson, Browser, openTestDashboard, type TestDashboard } from '../testing/dashboard.fixture.ts'
import { recoverAccount } from './recover.ts'
import { newRecoveryCode } from './secrets.ts'
import { addressKey, networkOf, Throttle } from './throttle.ts'
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

describe('what protects an account', () => {
  it('gives a new cookie when it changes, so that a copy of the old one is worth nothing', async () => {
    const person = await addPerson(dashboard, admin, 'rosa', [{ scope: '*', role: 'viewer' }])
    const { sessions } = dashboard.rooms
    const secret = person.cookie.split('=')[1] as string
    const before = person.cookie
    const socket = await person.socket('/dashboard')
    expect(
      (await person.mutate('me.changePassword', { current: 'rosa has a long secret', next: 'rosa has another secret' })).error,
    ).toBeNull()
    expect(person.cookie).not.toBe(before)
    expect((await person.query('me.get')).error).toBeNull()
    // The page stays open; requests that were under way with the old cookie are answered for some seconds, after that it is nobody's.
    expect(socket.connected).toBe(true)
    expect(await sessions.resolve(secret, '')).not.toBeNull()
    ;(sessions as unknown as { replaced: Map<string, string> }).replaced.clear()
    expect(await sessions.resolve(secret, '')).toBeNull()
    socket.disconnect()
  })

  it('is nobody’s secret: codes that cannot be guessed from their hashes, hashes as OWASP wants them', async () => {
    const codes = Array.from({ length: 50 }, newRecoveryCode)
    for (const code of codes) expect(code).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/)
    expect(new Set(codes).size).toBe(50)
    const { passwordHash } = await dashboard.database.person.findFirstOrThrow()
    const [kind, N, r, p, salt, key] = passwordHash.split('$')
    expect([kind, Number(N) * Number(r) * Number(p) >= 2 ** 15 * 8 * 3]).toEqual(['scrypt', true])
    expect([Buffer.from(salt ?? '', 'base64url').length, Buffer.from(key ?? '', 'base64url').length]).toEqual([16, 32])
  })

  it('does not tell whether it exists: the same work and the same answer for nobody as for somebody', async () => {
    const work = vi.spyOn(crypto, 'scrypt')
    const answers = []
    for (const email of ['rosa@example.com', 'nobody-at-all@example.com'])
      answers.push((await new Browser(dashboard.base).mutate('session.signIn', { email, password: 'wrong wrong wrong' })).error)
    expect(answers[0]).toEqual(answers[1])
    const parameters = work.mock.calls.map(([, , length, options]) => ({ length, ...(options as object) }))
    work.mockRestore()
    expect(parameters).toHaveLength(2)
    expect(parameters[0]).toEqual(parameters[1])
  })
})

describe('an invitation', () => {
  it('is of no use when it is late, withdrawn or made up; guessing is slowed', async () => {
    const invite = async (name: string) => {
      const { url, invitation } = (await admin.mutate('invitations.create', { email: `${name}@example.com`, grants: [] })).data as {
        url: string
        invitation: { id: string }
      }
      return { token: url.split('/invite/')[1] as string, id: invitation.id }
    }
    const accept = (token: string) =>
      new Browser(dashboard.base).mutate('invitations.accept', { token, name: 'X', password: 'x has a long secret' })
    const late = await invite('late')
    await dashboard.database.invitation.update({ where: { id: late.id }, data: { expiresAt: new Date(Date.now() - 1000) } })
    expect((await accept(late.token)).error?.code).toBe('not_found')
    expect((await new Browser(dashboard.base).query('invitations.read', { token: late.token })).data).toEqual({ result: { data: null } })
    const withdrawn = await invite('withdrawn')
    await admin.mutate('invitations.revoke', { id: withdrawn.id })
    expect((await accept(withdrawn.token)).error?.code).toBe('not_found')
    let code: string | undefined
    for (let n = 0; n < 40 && code !== 'resource_exhausted'; n += 1) code = (await accept(`bi_${'x'.repeat(43)}`)).error?.code
    expect(code).toBe('resource_exhausted')
    await dashboard.database.attempt.deleteMany()
  })
})

describe('a lost telephone', () => {
  it('is helped by an administrator, and by whoever is root on the machine; the way in is a link that is good once', async () => {
    const person = await addPerson(dashboard, admin, 'tess', [{ scope: '*', role: 'viewer' }])
    const password = 'tess has a long secret'
    const enable = async (browser: Browser) => {
      const { secret } = (await browser.mutate('me.beginTotp', { password })).data as { secret: string }
      await browser.mutate('me.confirmTotp', { code: totpCode(secret, Math.floor(Date.now() / 30_000)) })
    }
    await enable(person)
    const signIn = (secret = password) =>
      new Browser(dashboard.base).mutate('session.signIn', { email: 'tess@example.com', password: secret })
    expect((await signIn()).data).toEqual({ next: 'code' })
    expect((await admin.mutate('people.clearTotp', { person: person.id })).error).toBeNull()
    expect((await signIn()).data).toEqual({ next: 'done' })

    await enable(person)
    const link = await recoverAccount({ ...dashboard.data, log: dashboard.rooms.log }, 'TESS@example.com ', new URL(dashboard.base))
    expect(link.split('/invite/')[0]).toBe(dashboard.base)
    const token = link.split('/invite/')[1]
    const browser = new Browser(dashboard.base)
    expect((await browser.mutate('invitations.accept', { token, name: 'Tess', password: 'tess begins again now' })).error).toBeNull()
    expect((await browser.mutate('invitations.accept', { token, name: 'Tess', password: 'tess begins once more' })).error?.code).toBe(
      'not_found',
    )
    expect((await signIn('tess begins again now')).data).toEqual({ next: 'done' })
    await expect(
      recoverAccount({ ...dashboard.data, log: dashboard.rooms.log }, 'nobody@example.com', new URL(dashboard.base)),
    ).rejects.toThrow(/no account/)
    const { records } = (await admin.query('audit.list', { action: 'account.recovered' })).data as { records: unknown[] }
    expect(records).toMatchObject([{ personName: 'dashboard', via: 'system', subject: 'tess@example.com', outcome: 'ok' }])
    expect(((await admin.query('audit.verify')).data as { ok: boolean }).ok).toBe(true)
  })
})

describe('guessing a password', () => {
  it('is slowed, also for the right one, and recorded', async () => {
    const browser = new Browser(dashboard.base)
    // The waits double: on the slowest machine some guess comes too early.
    let guesses = 0
    let code: string | undefined
    while (code !== 'resource_exhausted' && guesses < 30)
      code = (await browser.mutate('session.signIn', { email: 'grace@example.com', password: `guess number ${guesses++}` })).error?.code
    expect(code).toBe('resource_exhausted')
    expect(guesses).toBeGreaterThan(3)
    const key = 'account:grace@example.com'
    await dashboard.database.attempt.update({ where: { key }, data: { until: new Date(Date.now() + 600_000) } })
    expect((await browser.mutate('session.signIn', { email: 'grace@example.com', password: 'grace has a long secret' })).error?.code).toBe(
      'resource_exhausted',
    )
    const { records } = (await admin.query('audit.list', { action: 'session.signIn', outcome: 'failed' })).data as {
      records: { subject: string; outcome: string; detail: string }[]
    }
    expect(records.filter((record) => record.subject === 'grace@example.com').length).toBeGreaterThanOrEqual(guesses)
    expect(JSON.stringify(records)).not.toContain('guess number')
    await dashboard.database.attempt.delete({ where: { key } })
  })

  it('gets not one guess more by asking a hundred times at the same instant, nor by a restart of the dashboard', async () => {
    await addPerson(dashboard, admin, 'vic', [{ scope: '*', role: 'viewer' }])
    const guess = (base: string, n: number) =>
      new Browser(base).mutate('session.signIn', { email: 'vic@example.com', password: `guess ${n}` }).then((answer) => answer.error?.code)
    const codes = await Promise.all(Array.from({ length: 100 }, (_, n) => guess(dashboard.base, n)))
    expect(codes.filter((code) => code === 'unauthenticated').length).toBeLessThanOrEqual(10)
    expect(codes.filter((code) => code === 'resource_exhausted').length).toBeGreaterThanOrEqual(90)
    // As if more had failed: a wait that outlasts the restart.
    await dashboard.database.attempt.update({ where: { key: 'account:vic@example.com' }, data: { until: new Date(Date.now() + 600_000) } })
    await dashboard.end(true)
    dashboard = await openTestDashboard(dashboard.folder)
    expect(await guess(dashboard.base, 0)).toBe('resource_exhausted')
    expect(
      (await new Browser(dashboard.base).mutate('session.signIn', { email: 'vic@example.com', password: 'vic has a long secret' })).error
        ?.message,
    ).toMatch(/wait 10 minutes/)
    // Nobody else waits for it.
    admin = new Browser(dashboard.base)
    expect((await admin.mutate('session.signIn', ada)).data).toEqual({ next: 'done' })
  })

  it('at many accounts is slowed by address, an IPv6 network as one; signing in to an account of one’s own does not wipe it out', async () => {
    let now = Date.now()
    const throttle = new Throttle(dashboard.database, () => now)
    const from = (host: number) => addressKey('test', `2001:db8:1:2::${host.toString(16)}`, 3)
    for (let n = 0; n < 4; n += 1) await throttle.take([from(n)])
    await expect(throttle.take([from(9)])).rejects.toThrow(/wait 2 s/)
    await expect(throttle.take([addressKey('test', '2001:db8:1:3::1', 3)])).resolves.toBeUndefined()
    now += 2_000
    await throttle.take([from(1)])
    await throttle.succeed([from(1)])
    now += 4_000
    await throttle.take([from(2)])
    await expect(throttle.take([from(2)])).rejects.toThrow(/wait/)
    now += 3_700_000
    await throttle.take([from(3)])
    await throttle.take([from(3)])
    expect(networkOf('2001:DB8::1')).toBe('2001:db8:0:0::/64')
    expect(networkOf('::1')).toBe('0:0:0:0::/64')
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1')
  })

  it('writes nothing down that may be a password in the wrong field', async () => {
    await new Browser(dashboard.base).mutate('session.signIn', { email: 'hunter2 hunter2', password: 'ada@example.com' })
    const { records } = (await admin.query('audit.list', { action: 'session.signIn' })).data as { records: { subject: string }[] }
    expect(records[0]?.subject).toBe('(no e-mail address)')
    expect(JSON.stringify(records)).not.toContain('hunter2')
  })
})
