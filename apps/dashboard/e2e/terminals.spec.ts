import { expect, type Page, test } from '@playwright/test'
import { docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** Terminals: what is typed arrives, what is written is shown byte for byte, and the session outlives the page. */
test.describe.configure({ mode: 'serial' })
let host = ''
let box = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  box = runChatty(0, 'typing')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'typing', 'shell-less')
})

const screen = (page: Page) => page.getByRole('group', { name: 'Terminal in typing' })
const rows = (page: Page) => screen(page).locator('.xterm-rows')
async function open(page: Page): Promise<void> {
  await page.goto(`/h/${host}/containers/${box}`)
  await page.getByRole('button', { name: 'Terminal', exact: true }).click()
  await expect(rows(page)).toContainText('#')
  await screen(page).click()
}

test('shows wide characters, emoji and split UTF-8 as they are', async ({ page }) => {
  await open(page)
  // The three bytes of 界 written one by one, with time between them.
  await page.keyboard.type(
    `printf '\\344\\270\\226'; printf '\\347'; sleep 0.3; printf '\\225'; sleep 0.3; printf '\\214|\\360\\237\\232\\242|ok\\n'\n`,
  )
  await expect(rows(page)).toContainText('世界|🚢|ok')
})

test('keeps up with a flood and stays usable', async ({ page }) => {
  test.setTimeout(120_000)
  await open(page)
  await page.keyboard.type('head -c 20000000 /dev/zero | tr "\\0" "x" | fold -w 79; echo done-$((6*7))\n')
  await expect(rows(page)).toContainText('done-42', { timeout: 90_000 })
  await page.keyboard.type('echo still-$((1+1))\n')
  await expect(rows(page)).toContainText('still-2')
})

test('comes back with its screen after the page was loaded again', async ({ page }) => {
  await open(page)
  await page.keyboard.type('export KEPT=yes; echo before-reload-$$\n')
  await expect(rows(page)).toContainText(/before-reload-\d+/)
  const said = /before-reload-\d+/.exec(await rows(page).innerText())?.[0] as string
  await page.reload()
  await expect(rows(page)).toContainText(said)
  await screen(page).click()
  await page.keyboard.type('echo kept-$KEPT\n')
  await expect(rows(page)).toContainText('kept-yes')
})

test('comes back after the network was away', async ({ page, context }) => {
  await open(page)
  await page.keyboard.type('sleep 3; echo woke-$((40+2))\n')
  await context.setOffline(true)
  await expect(page.getByText('The connection is away.')).toBeVisible({ timeout: 40_000 })
  await context.setOffline(false)
  await expect(rows(page)).toContainText('woke-42', { timeout: 30_000 })
})

test('resizes the process with the panel', async ({ page }) => {
  await open(page)
  const size = async () => {
    await page.keyboard.type('clear; stty size\n')
    await page.waitForTimeout(700)
    return Number(/^(\d+) \d+/m.exec(await rows(page).innerText())?.[1])
  }
  const before = await size()
  const edge = page.getByRole('separator', { name: 'Height of the panel' })
  await edge.focus()
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('ArrowUp')
  await screen(page).click()
  expect(await size()).toBeGreaterThan(before)
})

test('finds words in the scroll-back', async ({ page }) => {
  await open(page)
  await page.keyboard.type('seq 1 500\n')
  await expect(rows(page)).toContainText('500')
  await page.keyboard.press('Control+Shift+F')
  await page.getByRole('textbox', { name: 'Search' }).fill('137')
  await expect(rows(page)).toContainText('137')
  await page.keyboard.press('Escape')
})

test('asks before it is closed, and can be taken up again', async ({ page }) => {
  await open(page)
  await page.keyboard.type('echo here-$((2*21))\n')
  await expect(rows(page)).toContainText('here-42')
  await page.getByRole('button', { name: 'Close typing' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Leave it running' }).click()
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await page.getByRole('button', { name: 'Join' }).last().click()
  await expect(rows(page)).toContainText('here-42')
  await page.getByRole('button', { name: 'Close typing' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('says in plain words that an image has no shell', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'shell-less')
  docker(0, 'create', '--name', 'shell-less', 'busybox', '/bin/busybox', 'sleep', '1000')
  docker(0, 'start', 'shell-less')
  docker(0, 'exec', 'shell-less', '/bin/busybox', 'sh', '-c', 'rm -f /bin/sh /bin/ash /bin/bash')
  const id = docker(0, 'inspect', '-f', '{{.Id}}', 'shell-less')
  await page.goto(`/h/${host}/containers/${id}`)
  await page.getByRole('button', { name: 'Terminal', exact: true }).click()
  await expect(page.getByText('The image of shell-less has no shell')).toBeVisible()
  await page.getByLabel('Command').fill('/bin/busybox echo works-anyway')
  await page.getByRole('button', { name: 'Run it' }).click()
  await expect(page.getByRole('group', { name: 'Terminal in shell-less' }).locator('.xterm-rows')).toContainText('works-anyway')
})

test('opens a console on the host itself', async ({ page }) => {
  await page.goto(`/h/${host}`)
  await page.getByRole('button', { name: 'Host console' }).click()
  const group = page.getByRole('group', { name: /^Terminal in/ })
  await expect(group.locator('.xterm-rows')).toContainText(/[#$]/)
  await group.click()
  await page.keyboard.type('echo host-$((6*7))\n')
  await expect(group.locator('.xterm-rows')).toContainText('host-42')
  await page.keyboard.type('exit\n')
})
