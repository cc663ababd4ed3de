import { readFileSync } from 'node:fs'
import { expect, type Page, test } from '@playwright/test'
import { docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** Where one is in a log, and how one gets there: by address, by time, from hit to hit; several logs as one. */
let hosts: { first: string; second: string } = { first: '', second: '' }
let burst = ''
let sparse = ''
const lines = 2400

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  const { first, second } = await hostsOf(page)
  hosts = { first: first.id, second: second.id }
  await page.close()
  tryDocker(0, 'rm', '-f', 'burst', 'talker', 'long-line')
  tryDocker(1, 'rm', '-f', 'sparse')
  docker(1, 'pull', 'busybox')
  sparse = docker(
    1,
    'run',
    '-d',
    '--name',
    'sparse',
    'busybox',
    'sh',
    '-c',
    'i=0; while [ $i -lt 12 ]; do i=$((i+1)); echo "sparse $i says"; sleep 0.5; done; exec sleep 1000',
  )
  // 400 lines at once, six times, with a needle in every thousand; the other says a word now and then.
  burst = docker(
    0,
    ...['run', '-d', '--name', 'burst', 'busybox', 'sh', '-c'],
    `i=0; for b in 1 2 3 4 5 6; do n=0; while [ $n -lt 400 ]; do n=$((n+1)); i=$((i+1)); case $i in 700|1700) echo "burst $i holds a needle";; *) echo "burst $i of many";; esac; done; sleep 1.2; done; exec sleep 1000`,
  )
  await expect.poll(() => docker(0, 'logs', '--tail', '1', 'burst'), { timeout: 30_000 }).toContain(`burst ${lines} `)
  await expect.poll(() => docker(1, 'logs', '--tail', '1', 'sparse')).toContain('sparse 12 ')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'burst', 'talker', 'long-line')
  tryDocker(1, 'rm', '-f', 'sparse')
})

const log = (page: Page) => page.getByRole('log')
const marked = (page: Page) => log(page).locator('[data-marked]')
const at = (page: Page, more = '') => page.goto(`/h/${hosts.first}/containers/${burst}?tab=logs${more}`)
const numbers = async (page: Page, word: string) =>
  [...(await log(page).innerText()).matchAll(new RegExp(`${word} (\\d+) `, 'g'))].map((match) => Number(match[1]))
async function searchFor(page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search the log at the agent' }).fill(text)
  await page.keyboard.press('Enter')
}

test('keeps in the address what is merged: sent to somebody, it shows the same, and each of its lines has an address too', async ({
  page,
}) => {
  await at(page)
  await page.getByRole('button', { name: 'Merge with' }).click()
  await page.getByRole('searchbox', { name: 'Find a container' }).fill('sparse')
  await page.getByRole('checkbox', { name: /sparse/ }).click()
  await page.keyboard.press('Escape')
  await expect(page).toHaveURL(new RegExp(`with=${hosts.second}/${sparse}`))
  await page.reload()
  await expect(page.getByRole('button', { name: 'Merge with (1)' })).toBeVisible()
  await expect(log(page)).toContainText(`burst ${lines} of many`)
  // Both, to the first line ever; at each step the longer log is whole, and what the other said stands among its lines by time.
  await log(page).hover()
  await expect
    .poll(
      async () => {
        await page.mouse.wheel(0, -100_000)
        const seen = await numbers(page, 'burst')
        expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => (seen[0] as number) + index))
        return log(page).innerText()
      },
      { timeout: 40_000 },
    )
    .toContain('This is the first line of the log.')
  const times = [...(await log(page).innerText()).matchAll(/\d\d-\d\d (\d\d:\d\d:\d\d\.\d{3})/g)].map((match) => match[1] as string)
  expect(times).toEqual([...times].sort())
  const line = log(page)
    .locator('[data-index]')
    .filter({ hasText: /sparse 1 says/ })
    .getByRole('link')
  const address = (await line.getAttribute('href')) as string
  await page.goto(address)
  await expect(page).toHaveURL(new RegExp(`/h/${hosts.second}/containers/${sparse}`))
  await expect(marked(page)).toContainText('sparse 1 says')
  await expect(log(page)).toContainText(/burst \d+ of many/)
})

test('keeps a search in the address, over merged logs too: sent to somebody, it finds the same', async ({ page }) => {
  await at(page, `&with=${hosts.second}/${sparse}`)
  await page.getByRole('button', { name: 'Regular expression' }).click()
  await searchFor(page, 'a needle|sparse 1[12] ')
  for (const again of [false, true]) {
    if (again) await page.reload()
    await expect(page).toHaveURL(/find=a(%20|\+)needle.*how=regex/)
    await expect(page.getByRole('searchbox', { name: 'Search the log at the agent' })).toHaveValue('a needle|sparse 1[12] ')
    for (const words of ['burst 700 holds', 'burst 1700 holds', 'sparse 11 says', 'sparse 12 says'])
      await expect(log(page)).toContainText(words)
    await expect(log(page)).toContainText('4 lines found')
  }
  await page.getByRole('button', { name: 'End search' }).click()
  await expect(page).not.toHaveURL(/find=|how=/)
  await expect(log(page)).toContainText(`burst ${lines} of many`)
})

test('shows times in UTC, in local time or not at all, and long lines broken or whole', async ({ browser }) => {
  const context = await browser.newContext({ timezoneId: 'Asia/Kathmandu' })
  const page = await context.newPage()
  tryDocker(0, 'rm', '-f', 'long-line')
  const script = 'echo a short one; printf "%0900d\\n" 7; exec sleep 1000'
  const container = docker(0, 'run', '-d', '--name', 'long-line', 'busybox', 'sh', '-c', script)
  await page.goto(`/h/${hosts.first}/containers/${container}?tab=logs`)
  const line = log(page).locator('[data-index]').filter({ hasText: 'a short one' })
  // It fits on the screen, so nobody has to ask for what is before.
  await expect(log(page)).toContainText('This is the first line of the log.')
  const stamp = docker(0, 'logs', '-t', 'long-line').split(' ')[0] as string
  const clock = (minutes: number) => new Date(Date.parse(stamp) + minutes * 60_000).toISOString().slice(11, 23)
  const time = async (choice: string) => {
    await page.getByRole('button', { name: 'Time', exact: true }).click()
    await page.getByRole('menuitemradio', { name: choice }).click()
  }
  await expect(line).toContainText(clock(5 * 60 + 45))
  await time('UTC')
  await expect(line).toContainText(clock(0))
  await time('No time')
  await expect(line).not.toContainText(clock(0))
  await page.reload()
  await expect(line).toBeVisible()
  await expect(line).not.toContainText(clock(0))
  await time('Local time')
  await expect(line).toContainText(clock(5 * 60 + 45))
  const wide = () =>
    log(page).evaluate((element) => [element, ...element.querySelectorAll('*')].some((one) => one.scrollWidth > one.clientWidth + 200))
  await expect(log(page)).toContainText('0007')
  expect(await wide()).toBe(false)
  await page.getByRole('button', { name: 'Wrap long lines' }).click()
  await expect.poll(wide).toBe(true)
  await page.getByRole('button', { name: 'Wrap long lines' }).click()
  await expect.poll(wide).toBe(false)
  await context.close()
})

test('goes to a time, and from there back to what comes in', async ({ page }) => {
  const stamped = docker(0, 'logs', '-t', 'burst').split('\n')
  const before = stamped.findIndex((line) => line.endsWith('burst 801 of many'))
  // The whole second after the second burst began: the third is the first to come after it.
  const [time] = (stamped[before] as string).split(' ')
  await at(page)
  await page.getByRole('button', { name: 'Go to a time' }).click()
  const zone = await page.evaluate(() => new Date().getTimezoneOffset())
  const local = new Date(Date.parse(time as string) - zone * 60_000 - 500)
  await page.getByLabel('Date and time, local').fill(local.toISOString().slice(0, 19).replace('T', ' '))
  await page.getByRole('button', { name: 'Go there' }).click()
  await expect(page).toHaveURL(/at=20\d\d-/)
  const wanted = Math.floor(local.getTime() / 1000) * 1000 + zone * 60_000
  const first = stamped.find((line) => Date.parse(line.split(' ')[0] as string) >= wanted) as string
  await expect(marked(page)).toContainText(first.slice(first.indexOf(' ') + 1))
  await page.getByRole('button', { name: 'Jump to live' }).click()
  await expect(log(page)).toContainText(`burst ${lines} of many`)
  await expect(page).not.toHaveURL(/at=/)
})

test('goes from hit to hit with what stands around them, also to those that have not been read yet', async ({ page }) => {
  await at(page)
  await expect(log(page)).toContainText(`burst ${lines} of many`)
  await page.getByRole('button', { name: 'Only the lines that are found' }).click()
  await searchFor(page, 'a needle')
  // All lines are still there.
  await expect(log(page)).toContainText(`burst ${lines} of many`)
  await page.keyboard.press('Enter')
  await expect(marked(page)).toContainText('burst 1700 holds a needle')
  await expect(log(page)).toContainText('burst 1701 of many')
  await page.getByRole('button', { name: 'Previous hit, further back (Enter)' }).click()
  await expect(marked(page)).toContainText('burst 700 holds a needle')
  await expect(log(page)).toContainText('burst 699 of many')
  await expect
    .poll(() => page.evaluate(() => [...(CSS.highlights.get('log-hit') ?? [])].map((range) => range.toString())))
    .toEqual(['a needle'])
  await page.getByRole('button', { name: 'Previous hit, further back (Enter)' }).click()
  await expect(page.getByText('There is no further hit in this direction.')).toBeVisible()
  await page.getByRole('button', { name: 'Next hit (Shift+Enter)' }).click()
  await expect(marked(page)).toContainText('burst 1700 holds a needle')
  await page.getByRole('button', { name: 'Only the lines that are found' }).click()
  await expect(log(page)).toContainText('2 lines found')
})

test('shows what does not match, and saves what is shown or the whole log', async ({ page }) => {
  await at(page)
  await page.getByRole('button', { name: 'Lines that do not match' }).click()
  await searchFor(page, 'of many')
  await expect
    .poll(async () => {
      await page
        .getByText(/Search further back/)
        .click({ timeout: 500 })
        .catch(() => {})
      return numbers(page, 'burst')
    })
    .toEqual([700, 1700])
  const save = async (name: string) => {
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Streams and download' }).click()
    await page.getByRole('menuitem', { name }).click()
    return readFileSync(await (await download).path(), 'utf8')
      .trimEnd()
      .split('\n')
  }
  const shown = await save('What has been read here')
  expect(shown.map((line) => line.replace(/^\S+Z /, ''))).toEqual(['burst 700 holds a needle', 'burst 1700 holds a needle'])
  expect(await save('burst')).toHaveLength(lines)
})

test('opens the logs of a selection below, and that as a page with an address', async ({ page }) => {
  runChatty(0, 'talker')
  await page.goto('/h/all/containers')
  await page.getByRole('checkbox', { name: 'talker' }).click()
  await page.getByRole('checkbox', { name: 'sparse' }).click()
  await page.getByRole('toolbar').getByRole('button', { name: 'Logs together' }).click()
  const panel = page.getByRole('region', { name: 'Open terminals and logs' })
  await expect(panel.getByRole('log')).toContainText(/request \d+ served/)
  await panel.getByRole('link', { name: 'Open as a page' }).click()
  await expect(page).toHaveURL(/tab=logs&with=/)
  await expect(page.getByRole('main').getByRole('log')).toContainText(/request \d+ served/)
})
