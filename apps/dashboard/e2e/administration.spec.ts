import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { person, readEnvironment } from './environment-file.ts'
import { ask, docker, hostsOf, runChatty, signInAs, tryDocker } from './fleet.ts'

/** People, their accounts, what was done by whom, and hosts that come and go. */
const dialog = (page: Page) => page.getByRole('dialog')
const confirm = (page: Page) => page.getByTestId('confirm')

/** The six digits that an authenticator app shows now (RFC 6238). */
function codeOf(secret: string, at = Date.now()): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret.replace(/[^A-Z2-7]/g, '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const offset = (hash[19] as number) & 15
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

test('sends no password anywhere before the script of the sign-in has come', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] } })
  const page = await context.newPage()
  await page.goto('/sign-in')
  await page.locator('input[name=email]').fill('somebody@example.org')
  await page.locator('input[name=password]').fill('in nobodys address')
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  const refused = page.waitForEvent('console', (message) => message.text().includes('form-action'))
  await page.locator('button[type=submit]').click({ noWaitAfter: true })
  await refused
  expect(asked).toEqual([])
  expect(page.url()).toBe(`${readEnvironment().url}/sign-in`)
  await context.close()
})

test('invites somebody, who makes an account by the link, which works once', async ({ page, browser }) => {
  const known = (await ask<{ id: string; email: string }[]>(page, 'people.list')).find((one) => one.email === 'nina@example.org')
  if (known) await ask(page, 'people.remove', { person: known.id })
  await page.goto('/people')
  await page.getByRole('button', { name: 'Invite somebody' }).click()
  await dialog(page).getByLabel('E-mail address').fill('nina@example.org')
  await dialog(page).getByRole('button', { name: 'Make the link' }).click()
  const url = (await dialog(page).locator('pre').first().textContent())?.trim() as string
  expect(url).toMatch(/\/invite\//)
  await dialog(page).getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByText('nina@example.org')).toBeVisible()
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } })
  const guest = await context.newPage()
  await guest.goto(url)
  await guest.getByLabel('Your name').fill('Nina')
  await guest.getByLabel('New password', { exact: false }).first().fill(person.password)
  await guest.getByLabel(/again/i).fill('something else')
  await guest.getByRole('button', { name: 'Make the account' }).click()
  await expect(guest.locator('main').getByRole('alert').first()).toBeVisible()
  await guest.getByLabel(/again/i).fill(person.password)
  await guest.getByRole('button', { name: 'Make the account' }).click()
  await expect(guest).toHaveURL(/\/sign-in/)
  await guest.goto(url)
  await expect(guest.getByRole('note')).toContainText(/used/)
  // Signed out: the way back leads to where one wanted to be.
  await guest.goto('/h/all/volumes?q=kept')
  await guest.getByLabel('E-mail address').fill('nina@example.org')
  await guest.locator('input[name=password]').fill('not this one')
  await guest.getByRole('button', { name: 'Sign in' }).click()
  await expect(guest.locator('main').getByRole('alert')).toBeVisible()
  await guest.locator('input[name=password]').fill(person.password)
  await guest.getByRole('button', { name: 'Sign in' }).click()
  await expect(guest).toHaveURL(/\/h\/all\/volumes\?q=kept$/)
  await context.close()
  await page.getByRole('button', { name: 'What to do with Nina' }).click()
  await page.getByRole('menuitem', { name: 'Remove' }).click()
  await dialog(page).getByRole('textbox').fill('nina@example.org')
  await confirm(page).click()
  await expect(page.getByText('nina@example.org')).toHaveCount(0)
})

test('turns on the second step, is asked for it, and can do without the telephone once', async ({ browser }) => {
  const { context, page, email, password } = await signInAs(browser, 'Tilda', [{ scope: '*', role: 'viewer' }])
  const ended = new Promise<void>((resolve) => {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (payload.toString().includes('session.ended')) resolve()
      }),
    )
  })
  await page.goto('/account')
  await page.getByRole('button', { name: 'Turn on two-step sign-in' }).click()
  await dialog(page).getByLabel('Current password').fill(password)
  await dialog(page).getByRole('button', { name: 'Continue' }).click()
  await expect(dialog(page).getByRole('img', { name: 'QR code of the secret' })).toBeVisible()
  const secret = ((await dialog(page).locator('p.font-mono').textContent()) ?? '').trim()
  await dialog(page).getByLabel('The code that the app shows now').fill(codeOf(secret))
  await dialog(page).getByRole('button', { name: 'Continue' }).click()
  const recovery = ((await dialog(page).locator('pre').textContent()) ?? '').trim().split('\n')
  expect(recovery.length).toBeGreaterThanOrEqual(8)
  await dialog(page).getByRole('button', { name: 'I have kept them' }).click()
  await expect(page.getByText('on', { exact: true })).toBeVisible()
  // The page hears of the end before it has its answer; whoever signs in next does not come to where it was.
  await page.route('**/api/trpc/session.signOut*', async (route) => {
    const response = await route.fetch()
    await ended
    await route.fulfill({ response })
  })
  await page.getByRole('button', { name: 'Account', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/\/sign-in$/)
  await page.getByLabel('E-mail address').fill(email)
  await page.locator('input[name=password]').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Code', { exact: false }).fill('000000')
  await page.getByRole('button', { name: 'Confirm' }).click()
  // In the page: Next.js announces titles in an alert of its own, outside it.
  await expect(page.locator('main').getByRole('alert')).toBeVisible()
  await page.getByLabel('Code', { exact: false }).fill(recovery[0] as string)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await expect(page).toHaveURL(/\/hosts$/)
  await context.close()
})

test('makes an API token that works until it is revoked', async ({ page, playwright }) => {
  await page.goto('/account')
  await page.getByRole('button', { name: 'New API token' }).click()
  await dialog(page).getByLabel('Name').fill('nightly')
  await dialog(page).getByRole('button', { name: 'Make the token' }).click()
  const token = ((await dialog(page).locator('pre').textContent()) ?? '').trim()
  await dialog(page).getByRole('button', { name: 'I have copied it' }).click()
  const { url } = readEnvironment()
  const program = await playwright.request.newContext({ extraHTTPHeaders: { authorization: `Bearer ${token}` } })
  expect((await program.get(`${url}/api/trpc/hosts.list`)).status()).toBe(200)
  // It is a Viewer, and it never touches the account.
  expect((await program.get(`${url}/api/trpc/tokens.list`)).status()).not.toBe(200)
  const line = page.getByRole('listitem').filter({ hasText: 'nightly' })
  await line.getByRole('button', { name: 'Revoke' }).click()
  await confirm(page).click()
  await expect(line).toHaveCount(0)
  expect((await program.get(`${url}/api/trpc/hosts.list`)).status()).toBe(401)
  await program.dispose()
})

test('ends a session elsewhere, and that browser is asked to sign in at once', async ({ browser }) => {
  const { context, page, email, password } = await signInAs(browser, 'Sita', [{ scope: '*', role: 'viewer' }])
  const elsewhere = await browser.newContext({ storageState: { cookies: [], origins: [] } })
  const other = await elsewhere.newPage()
  await other.goto('/sign-in')
  await other.getByLabel('E-mail address').fill(email)
  await other.locator('input[name=password]').fill(password)
  await other.getByRole('button', { name: 'Sign in' }).click()
  await expect(other).toHaveURL(/\/hosts$/)
  await expect(other.getByRole('heading', { name: 'Hosts' })).toBeVisible()
  await page.goto('/account')
  await page.getByRole('button', { name: 'Sign out there' }).first().click()
  await expect(other).toHaveURL(/\/sign-in/)
  await expect(page.getByRole('button', { name: 'Sign out there' })).toHaveCount(0)
  await elsewhere.close()
  await context.close()
})

test('finds in the audit who did what, and takes it along', async ({ page }) => {
  docker(0, 'pull', 'busybox')
  const id = runChatty(0, 'audited')
  const { first } = await hostsOf(page)
  await page.goto(`/h/${first.id}/containers/${id}`)
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await expect.poll(() => docker(0, 'inspect', '-f', '{{.State.Status}}', 'audited'), { timeout: 30_000 }).toBe('exited')
  await page.goto('/audit')
  await page.getByRole('combobox', { name: 'Action' }).click()
  await page.getByRole('option', { name: 'containers', exact: true }).click()
  await expect(page).toHaveURL(/action=containers/)
  const lines = page.getByRole('list', { name: 'Audit' }).getByRole('button')
  await expect(lines.first()).toContainText('containers.stop audited')
  await expect(lines.first()).toContainText(person.name)
  await expect(page.getByText('hosts.prepareJoin')).toHaveCount(0)
  await page.getByRole('button', { name: 'Any time' }).click()
  await page.getByLabel('From day').fill('2026-02-30')
  await expect(page.getByText(/Write a day like 20\d\d-/)).toBeVisible()
  await page.getByRole('button', { name: 'Today' }).click()
  await expect(page).toHaveURL(/since=20\d\d-\d\d-\d\d/)
  await expect(lines.first()).toContainText('containers.stop audited')
  const waiting = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export' }).click()
  await page.getByRole('menuitem', { name: 'As JSON lines' }).click()
  const records = readFileSync(await (await waiting).path(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { action: string })
  expect(records.length).toBeGreaterThan(0)
  expect(records.every((record) => record.action.startsWith('containers.'))).toBe(true)
  await page.getByRole('button', { name: 'Verify the chain' }).click()
  await expect(page.getByText(/lines are whole/)).toBeVisible()
  await page.goto(`/h/${first.id}/events?q=audited`)
  await expect(page.locator('main').getByText('die', { exact: false }).first()).toBeVisible()
  await page.locator('main').getByRole('button', { name: 'What', exact: true }).first().click()
  await page.getByRole('menuitemcheckbox', { name: /^create/ }).click()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(/action=create/)
  await expect(page.locator('main').getByText('die', { exact: false })).toHaveCount(0)
  tryDocker(0, 'rm', '-f', 'audited')
})

test('opens a shell on the host itself', async ({ page }) => {
  const { first } = await hostsOf(page)
  await page.goto(`/h/${first.id}`)
  await page.getByRole('button', { name: 'Host console' }).click()
  const terminal = page.getByRole('group', { name: new RegExp(`Terminal in ${first.name}`) })
  await expect(terminal.locator('.xterm-rows')).toContainText('#', { timeout: 20_000 })
  await terminal.click()
  await page.keyboard.type('echo on-the-host-$((40+2))\n')
  await expect(terminal.locator('.xterm-rows')).toContainText('on-the-host-42')
  await page.keyboard.type('exit\n')
  await expect(page.getByText(/process has ended/)).toBeVisible()
})

test('shows what was known last of a host that is away, and lives again when it is back', async ({ page }) => {
  test.setTimeout(120_000)
  const { second } = await hostsOf(page)
  docker(1, 'pull', 'busybox')
  runChatty(1, 'out-of-sight')
  const pid = readEnvironment().pids['agent-b'] as number
  await page.goto('/hosts')
  const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'second', exact: true }) })
  const memory = card.getByRole('meter', { name: 'Memory' })
  await expect(memory).toBeVisible()
  process.kill(pid, 'SIGSTOP')
  try {
    await expect(card).toContainText('last seen', { timeout: 40_000 })
    // Old numbers with their age, and no zeros; on a page that is loaded anew too.
    for (const again of [false, true]) {
      if (again) await page.reload()
      await expect(memory).toHaveAttribute('aria-valuetext', /[1-9].* \/ /)
      await expect(card).toContainText(/ago/)
      await expect(card).toContainText(/[1-9]\d* running/)
    }
    await page.goto('/h/all/containers?q=out-of-sight')
    await expect(page.getByRole('link', { name: 'out-of-sight', exact: true })).toBeVisible()
    await expect(page.getByRole('note')).toContainText('second')
    // What it has is not known, and not nothing.
    await page.goto(`/h/${second.id}/volumes`)
    await expect(page.getByRole('note')).toContainText('second')
    await expect(page.getByText('There is no volume here yet.')).toHaveCount(0)
    await page.goto(`/h/${second.id}/networks`)
    await expect(page.getByRole('button', { name: 'Create a network' }).first()).toHaveAttribute('aria-disabled', 'true')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await page.goto('/hosts')
  await expect(card).toContainText('online', { timeout: 40_000 })
  tryDocker(1, 'rm', '-f', 'out-of-sight')
})

test('draws the last hour of a host at once, and goes on every second', async ({ page }) => {
  const { first } = await hostsOf(page)
  await page.goto(`/h/${first.id}`)
  const charts = page.getByRole('main').getByRole('img', { name: /: .*\d/ })
  await expect(charts).toHaveCount(4)
  for (const name of [/^CPU .*: CPU \d/, /^Memory.*\d/, /^Network: received \d/, /^Load: /])
    await expect(page.getByRole('img', { name })).toBeVisible()
  // The numbers are said as they come; traffic of this test alone changes them.
  const said = () => charts.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')).join())
  const before = await said()
  await expect.poll(said).not.toBe(before)
  await expect(charts.first().locator('canvas')).toBeVisible()
})

test('renames a host everywhere at once', async ({ page, context }) => {
  const { second } = await hostsOf(page)
  const other = await context.newPage()
  await other.goto('/hosts')
  await page.goto(`/h/${second.id}`)
  const rename = async (from: string, to: string) => {
    await page.getByRole('button', { name: `Actions for ${from}` }).click()
    await page.getByRole('menuitem', { name: 'Rename…' }).click()
    await dialog(page).getByLabel('New name').fill(to)
    await confirm(page).click()
    await expect(page.getByRole('heading', { name: to, exact: true })).toBeVisible()
    await expect(other.getByRole('link', { name: to, exact: true })).toBeVisible()
  }
  await rename('second', 'renamed')
  await rename('renamed', 'second')
})
