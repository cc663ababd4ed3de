import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test'
import { person, readEnvironment } from './environment-file.ts'
import { docker, hostsOf, kill, runChatty, tryDocker } from './fleet.ts'

/** What a person sees when something goes: a host, the dashboard, a session. Real processes; nothing is loaded again by hand. */
test.describe.configure({ mode: 'serial' })
let first = ''
let second = ''
let typing = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  const hosts = await hostsOf(page)
  first = hosts.first.id
  second = hosts.second.id
  await page.close()
  runChatty(1, 'over-there')
  typing = runChatty(0, 'typed-into')
})
test.afterAll(async () => {
  // A test that failed in the middle leaves nothing either.
  await answers(1)
  tryDocker(1, 'rm', '-f', 'over-there', 'meanwhile')
  tryDocker(0, 'rm', '-f', 'after-restart', 'typed-into')
})

const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
const colourOf = (page: Page, name: string) => row(page, name).evaluate((element) => getComputedStyle(element).color)
/** What is true now is written in the page's own ink, what may be old in another. */
const liveColour = (page: Page) => page.locator('body').evaluate((element) => getComputedStyle(element).color)

/** Waits until an agent that was started serves. */
async function answers(agent: 0 | 1): Promise<void> {
  await expect
    .poll(
      () => {
        try {
          return docker(agent, 'version', '--format', '{{.Server.Version}}') !== ''
        } catch {
          return false
        }
      },
      { timeout: 60_000 },
    )
    .toBe(true)
}

/** Another browser of the same person, signed in by itself. */
async function anotherBrowser(browser: Browser): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } })
  const { url } = readEnvironment()
  const answer = await context.request.post(`${url}/api/trpc/session.signIn`, {
    data: { email: person.email, password: person.password },
    headers: { origin: url },
  })
  expect(answer.status()).toBe(200)
  return { context, page: await context.newPage() }
}

test('a host that stops answering is shown as away, its values grey with their age; it comes back by itself with what happened', async ({
  page,
}) => {
  await page.goto('/h/all/containers')
  await expect(row(page, 'over-there')).toBeVisible()
  const live = await liveColour(page)
  await expect.poll(() => colourOf(page, 'over-there')).toBe(live)
  const pid = readEnvironment().pids['agent-b'] as number
  process.kill(pid, 'SIGSTOP')
  try {
    await expect.poll(() => colourOf(page, 'over-there'), { timeout: 30_000 }).not.toBe(live)
    await page.goto('/hosts')
    const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'second', exact: true }) })
    await expect(card).toContainText(/last seen .*(second|s ago|min)/)
    await page.goto(`/h/${second}/containers`)
    await expect(row(page, 'over-there')).toBeVisible()
    await expect(page.getByText(/away/).first()).toBeVisible()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await answers(1)
  await page.goto('/h/all/containers')
  await expect(row(page, 'over-there')).toBeVisible()
  docker(1, 'run', '-d', '--name', 'meanwhile', 'busybox', 'sleep', '1000')
  await expect(row(page, 'meanwhile')).toBeVisible({ timeout: 30_000 })
  await expect.poll(() => colourOf(page, 'over-there'), { timeout: 30_000 }).toBe(live)
})

test('a host that is killed and started again comes back on the page that is open', async ({ page }) => {
  await page.goto(`/h/${second}/containers`)
  await expect(row(page, 'meanwhile')).toBeVisible()
  const live = await liveColour(page)
  await expect.poll(() => colourOf(page, 'meanwhile')).toBe(live)
  await kill('agent-b')
  await answers(1)
  docker(1, 'rm', '-f', 'meanwhile')
  await expect(row(page, 'meanwhile')).toBeHidden({ timeout: 30_000 })
  await expect.poll(() => colourOf(page, 'over-there'), { timeout: 30_000 }).toBe(live)
})

test('a dashboard that is cut off is said so, with all that is shown in grey; the page recovers with what happened meanwhile', async ({
  page,
}) => {
  await page.goto('/h/all/containers')
  await expect(row(page, 'over-there')).toBeVisible()
  const notice = page.getByText('The dashboard does not answer')
  await expect(notice).toBeHidden()
  const pid = readEnvironment().pids.dashboard as number
  // No FIN, no RST: it only says nothing any more.
  process.kill(pid, 'SIGSTOP')
  try {
    await expect(notice).toBeVisible({ timeout: 30_000 })
    await expect(page.locator('main#content[data-lost]')).toBeVisible()
    docker(0, 'run', '-d', '--name', 'after-restart', 'busybox', 'sleep', '1000')
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect(notice).toBeHidden({ timeout: 30_000 })
  await expect(row(page, 'after-restart')).toBeVisible({ timeout: 30_000 })
})

test('a dashboard that is killed and starts again finds the page, its session and its hosts as they were', async ({ page }) => {
  await page.goto('/h/all/containers')
  await expect(row(page, 'after-restart')).toBeVisible()
  await kill('dashboard')
  docker(0, 'rm', '-f', 'after-restart')
  await expect(row(page, 'after-restart')).toBeHidden({ timeout: 60_000 })
  await expect(row(page, 'over-there')).toBeVisible()
  await expect(page.getByText('The dashboard does not answer')).toBeHidden()
  // Not only read again: a change of now reaches the page, too.
  docker(0, 'run', '-d', '--name', 'after-restart', 'busybox', 'sleep', '1000')
  await expect(row(page, 'after-restart')).toBeVisible({ timeout: 30_000 })
  await expect(page).toHaveURL(/\/h\/all\/containers/)
})

test('a part of the frame that cannot be fetched leaves the frame as it is, and comes as soon as it can be', async ({ page }) => {
  let cut = false
  let refused = 0
  await page.route('**/_next/static/chunks/**', (route) => {
    if (!cut) return route.continue()
    refused += 1
    return route.abort()
  })
  await page.goto('/h/all/containers')
  cut = true
  await expect(row(page, 'over-there')).toBeVisible()
  await page.getByRole('button', { name: /^Host: / }).click()
  // The menu's, and by itself that of the short messages; each is asked for twice.
  await expect.poll(() => refused, { timeout: 30_000 }).toBeGreaterThan(3)
  await expect(row(page, 'over-there')).toBeVisible()
  cut = false
  await expect(page.getByRole('menu')).toBeVisible()
})

test('a session that is ended from another browser leaves the page at once, with its terminal, and comes back to where it was', async ({
  page,
  browser,
}) => {
  const other = await anotherBrowser(browser)
  await other.page.goto(`/h/${first}/containers/${typing}`)
  await other.page.getByRole('button', { name: 'Terminal', exact: true }).click()
  const rows = other.page.getByRole('group', { name: 'Terminal in typed-into' }).locator('.xterm-rows')
  await expect(rows).toContainText('#')
  await page.goto('/account')
  // The newest of the others: the list is in the order of last use.
  await page.getByRole('button', { name: 'Sign out there' }).first().click()
  await expect(other.page).toHaveURL(new RegExp(`/sign-in\\?next=.*${typing}`), { timeout: 15_000 })
  await other.page.getByLabel('E-mail address').fill(person.email)
  await other.page.getByLabel('Password', { exact: false }).first().fill(person.password)
  await other.page.getByRole('button', { name: 'Sign in' }).click()
  await expect(other.page).toHaveURL(new RegExp(`/h/${first}/containers/${typing}`))
  await other.context.close()
})

test('signing out everywhere else ends every other browser and leaves this one', async ({ page, browser }) => {
  const others = [await anotherBrowser(browser), await anotherBrowser(browser)]
  for (const other of others) {
    await other.page.goto('/hosts')
    await expect(other.page.getByRole('link', { name: 'second', exact: true })).toBeVisible()
  }
  await page.goto('/account')
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click()
  for (const other of others) {
    await expect(other.page).toHaveURL(/\/sign-in/, { timeout: 15_000 })
    await other.context.close()
  }
  await page.goto('/hosts')
  await expect(page.getByRole('link', { name: 'second', exact: true })).toBeVisible()
})
