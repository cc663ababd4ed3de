import { expect, type Page, test } from '@playwright/test'
import { readEnvironment } from './environment-file.ts'
import { docker, hostsOf, kill, runChatty, tryDocker } from './fleet.ts'

/** What a person sees when something goes: a host, the dashboard. Real processes; nothing is loaded again by hand. */
test.describe.configure({ mode: 'serial' })
let second = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  second = (await hostsOf(page)).second.id
  await page.close()
  runChatty(1, 'over-there')
})
test.afterAll(async () => {
  // A test that failed in the middle leaves nothing either.
  await answers(1)
  tryDocker(1, 'rm', '-f', 'over-there', 'meanwhile')
  tryDocker(0, 'rm', '-f', 'after-restart')
})

const row = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })
const colourOf = (page: Page, name: string) => row(page, name).evaluate((element) => getComputedStyle(element).color)

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

test('a host that stops answering is shown as away, its values grey with their age; it comes back by itself with what happened', async ({
  page,
}) => {
  await page.goto('/h/all/containers')
  await expect(row(page, 'over-there')).toBeVisible()
  const live = await colourOf(page, 'over-there')
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
  const live = await colourOf(page, 'meanwhile')
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
