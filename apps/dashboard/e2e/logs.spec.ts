import { expect, type Page, test } from '@playwright/test'
import { docker, hostsOf, kill, runChatty, tryDocker } from './fleet.ts'

/** Logs on the page against what the agent has on disk. */
test.describe.configure({ mode: 'serial' })
let host = ''
let counting = ''
const lines = 3000

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  tryDocker(0, 'rm', '-f', 'counting')
  counting = docker(
    0,
    'run',
    '-d',
    '--name',
    'counting',
    'busybox',
    'sh',
    '-c',
    `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "number $i of many"; done; while [ ! -e /tmp/go ]; do sleep 0.1; done; while true; do i=$((i+1)); echo "number $i of many"; sleep 0.1; done`,
  )
  runChatty(0, 'other-voice')
  docker(1, 'pull', 'busybox')
  runChatty(1, 'third-voice')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'counting', 'other-voice', 'again-and-again')
  tryDocker(1, 'rm', '-f', 'third-voice')
})

const log = (page: Page) => page.getByRole('log')
/** The numbers that are on screen, in their order. */
async function numbers(page: Page): Promise<number[]> {
  const text = await log(page).innerText()
  return [...text.matchAll(/number (\d+) of many/g)].map((match) => Number(match[1]))
}
/** The same, once two looks have found the same: what was scrolled has come to rest. */
async function settledNumbers(page: Page): Promise<number[]> {
  let seen: number[] = []
  await expect
    .poll(async () => {
      const last = seen
      seen = await numbers(page)
      return seen.length > 0 && seen.join() === last.join()
    })
    .toBe(true)
  return seen
}
/** How far the container has counted, whoever sees it. */
const written = () => Number(/number (\d+)/.exec(docker(0, 'logs', '--tail', '1', 'counting'))?.[1])
async function openLog(page: Page, more = ''): Promise<void> {
  await page.goto(`/h/${host}/containers/${counting}?tab=logs${more}`)
}

test('fills in by scrolling up, to the first line ever', async ({ page }) => {
  await openLog(page)
  await expect(log(page)).toContainText(`number ${lines} of many`)
  await log(page).hover()
  // Lines that are filled in above leave the view where it was: one goes on scrolling, as a person does.
  await expect
    .poll(
      async () => {
        await page.mouse.wheel(0, -100_000)
        return (await numbers(page))[0]
      },
      { timeout: 30_000 },
    )
    .toBe(1)
  await expect(log(page)).toContainText('This is the first line of the log.')
  const seen = await numbers(page)
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1))
})

test('stands still while one reads further up, and goes on at "jump to live"', async ({ page }) => {
  await openLog(page)
  await expect(log(page)).toContainText(`number ${lines} of many`)
  await log(page).hover()
  await page.mouse.wheel(0, -600)
  await expect(page.getByRole('button', { name: 'Jump to live' })).toBeVisible()
  const before = await settledNumbers(page)
  const heightOf = () => log(page).evaluate((element) => element.scrollHeight)
  const height = await heightOf()
  docker(0, 'exec', 'counting', 'touch', '/tmp/go')
  // Ten lines of 20 px have come in below what one reads.
  await expect.poll(heightOf).toBeGreaterThan(height + 200)
  expect((await numbers(page))[0]).toBe(before[0])
  await page.getByRole('button', { name: 'Jump to live' }).click()
  await expect.poll(async () => (await numbers(page)).at(-1) ?? 0).toBeGreaterThan(lines)
})

test('loses and doubles nothing over a broken connection', async ({ page, context }) => {
  await openLog(page)
  await expect.poll(async () => (await numbers(page)).at(-1) ?? 0).toBeGreaterThan(lines)
  await context.setOffline(true)
  await expect(page.getByText('The connection is away.')).toBeVisible({ timeout: 40_000 })
  const away = (await numbers(page)).at(-1) as number
  // Lines are written that this page can only have by asking for them again.
  await expect.poll(written).toBeGreaterThan(away + 20)
  await context.setOffline(false)
  await expect.poll(async () => (await numbers(page)).at(-1) ?? 0, { timeout: 30_000 }).toBeGreaterThan(away + 20)
  const seen = await numbers(page)
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen[0] as number) + index))
})

test('loses and doubles nothing when the agent is killed in the middle', async ({ page }) => {
  test.setTimeout(120_000)
  await openLog(page)
  await expect.poll(async () => (await numbers(page)).at(-1) ?? 0).toBeGreaterThan(lines)
  await kill('agent-a')
  await expect(page.getByText('The connection is away.')).toBeVisible({ timeout: 40_000 })
  const away = (await numbers(page)).at(-1) as number
  await expect.poll(async () => (await numbers(page)).at(-1) ?? 0, { timeout: 60_000 }).toBeGreaterThan(away + 20)
  const seen = await numbers(page)
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen[0] as number) + index))
})

test('searches at the agent, by regular expression, over the whole log', async ({ page }) => {
  await openLog(page)
  await expect(log(page)).toContainText('of many')
  await page.getByRole('searchbox', { name: 'Search the log at the agent' }).fill('^number (17|1712) of')
  await page.getByRole('button', { name: 'Regular expression' }).click()
  await expect(log(page)).toContainText('number 1712 of many')
  await expect
    .poll(async () => {
      await page
        .getByText(/Search further back/)
        .click({ timeout: 500 })
        .catch(() => {})
      return (await numbers(page)).slice(0, 2)
    })
    .toEqual([17, 1712])
  await page.getByRole('searchbox', { name: 'Search the log at the agent' }).fill('([')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert').filter({ hasText: /expression|pattern|bracket|\(\[/i })).toBeVisible()
})

test('opens at the moment that a link names', async ({ page }) => {
  await openLog(page)
  await page.getByRole('searchbox', { name: 'Search the log at the agent' }).fill('number 1500 of')
  await page.keyboard.press('Enter')
  const link = await log(page).locator('[data-index]').filter({ hasText: 'number 1500 of' }).getByRole('link').getAttribute('href')
  await page.goto(link as string)
  await expect(log(page)).toContainText('number 1500 of many')
  await expect(log(page)).toContainText('number 1501 of many')
  expect(await numbers(page)).not.toContain(lines)
})

test('merges several containers by time, and reads JSON and logfmt', async ({ page }) => {
  await openLog(page)
  await page.getByRole('button', { name: 'Merge with' }).click()
  await page.getByRole('searchbox', { name: 'Find a container' }).fill('voice')
  await page.getByRole('checkbox', { name: /other-voice/ }).click()
  await page.getByRole('checkbox', { name: /third-voice/ }).click()
  await page.keyboard.press('Escape')
  // The third is on another host.
  await expect(log(page)).toContainText('third-voice')
  await expect(log(page)).toContainText(/request \d+ served/)
  await expect(log(page)).toContainText(/slow query \d+/)
  await expect(log(page).locator('[data-level=warn]').first()).toBeVisible()
  await log(page)
    .getByRole('button', { name: /request \d+ served/ })
    .first()
    .click()
  await expect(log(page)).toContainText('"level": "info"')
})

test('is kept open below while one moves around, and downloads', async ({ page }) => {
  await openLog(page)
  await page.getByRole('button', { name: 'Logs', exact: true }).click()
  await page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('link', { name: /^Images/ })
    .click()
  await expect(page).toHaveURL(/images$/)
  await expect(page.getByRole('region', { name: 'Open terminals and logs' }).getByRole('log')).toContainText('of many')
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Streams and download' }).click()
  await page.getByRole('menuitem', { name: 'counting' }).click()
  const file = await download
  expect(file.suggestedFilename()).toMatch(/\.log$/)
})

test('goes on when the container is started again, and says so when it is removed', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'again-and-again')
  const script = 'echo "life $(cat /lives | wc -l)"; echo x >> /lives; printf "\\033[38;5;208mOrange\\033[0m \\342\\200\\256turned\\n"'
  const id = docker(0, 'run', '-d', '--name', 'again-and-again', 'busybox', 'sh', '-c', `touch /lives; ${script}`)
  await page.goto(`/h/${host}/containers/${id}?tab=logs`)
  await expect(log(page)).toContainText('The container has ended; this is its last line.')
  // Colours of 256 are colours, and what would turn the line around is shown instead.
  await expect(log(page).getByText('Orange')).toHaveCSS('color', 'rgb(255, 135, 0)')
  await expect(log(page)).toContainText('⟨U+202E⟩turned')
  for (const life of [1, 2]) {
    docker(0, 'start', 'again-and-again')
    await expect(log(page)).toContainText(`life ${life}`)
    await expect(log(page)).toContainText('The container has ended; this is its last line.')
  }
  const lives = [...(await log(page).innerText()).matchAll(/life (\d)/g)].map((match) => match[1])
  expect(lives).toEqual(['0', '1', '2'])
  docker(0, 'rm', 'again-and-again')
  await expect(log(page)).toContainText('The container has been removed, and its log with it.')
  await expect(log(page)).toContainText('life 2')
  await expect(page.getByText('This container has been removed. What is shown here')).toBeVisible()
})
