import { expect, type Page, test } from '@playwright/test'
import { offences } from './axe.ts'
import { docker, hostsOf, kill, runChatty, tryDocker } from './fleet.ts'

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
/** Everything in the scroll-back: what the copy button copies when nothing is selected. */
async function screenText(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Copy the selection, or everything' }).click()
  return page.evaluate(() => navigator.clipboard.readText())
}
const rows = (page: Page) => screen(page).locator('.xterm-rows')
/** The rows that the kernel tells the shell. `asked` numbers the question: its sum is the shell's, so that neither an earlier answer nor the echo of what was typed passes for this one. */
async function sizeOfTheProcess(page: Page, asked: number): Promise<number> {
  await page.keyboard.type(`clear; stty size; echo asked-$((${asked}+100))\n`)
  await expect(rows(page)).toContainText(`asked-${asked + 100}`)
  return Number(/^(\d+) \d+$/m.exec(await rows(page).innerText())?.[1])
}
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
  test.setTimeout(300_000)
  await open(page)
  await page.keyboard.type('head -c 100000000 /dev/zero | tr "\\0" "x" | fold -w 79; echo done-$((6*7))\n')
  await expect(rows(page)).toContainText('done-42', { timeout: 240_000 })
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
  // What is typed at a page that has just come is not meant for a shell.
  await page.keyboard.type('/')
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  expect(await page.evaluate(() => document.activeElement?.closest('.xterm') ?? null)).toBeNull()
  await screen(page).click()
  await page.keyboard.type('echo kept-$KEPT\n')
  await expect(rows(page)).toContainText('kept-yes')
})

test('comes back after the network was away', async ({ page, context }) => {
  await open(page)
  await page.keyboard.type('echo begun-$((40+1)); sleep 3; echo woke-$((40+2))\n')
  // The line has arrived, its end too.
  await expect(rows(page)).toContainText('begun-41')
  await context.setOffline(true)
  await expect(page.getByText('The connection is away.')).toBeVisible({ timeout: 40_000 })
  await context.setOffline(false)
  await expect(rows(page)).toContainText('woke-42', { timeout: 30_000 })
})

// Killed, not asked to end: the session lives at the monitor, which neither of them is.
for (const program of ['agent-a', 'dashboard'] as const)
  test(`comes back with its screen after ${program === 'dashboard' ? 'the dashboard' : 'the agent'} was killed in the middle`, async ({
    page,
  }) => {
    test.setTimeout(150_000)
    await open(page)
    await page.keyboard.type(
      'export KEPT=yes; i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo tick $i; sleep 0.05; done; echo over-$((6*7))-$$\n',
    )
    await expect(rows(page)).toContainText('tick 20')
    await kill(program)
    const status = page.locator('[data-terminal-status]')
    await expect(status).toHaveAttribute('data-terminal-status', 'lost', { timeout: 40_000 })
    await expect(status).toHaveAttribute('data-terminal-status', 'live', { timeout: 60_000 })
    await expect(rows(page)).toContainText(/over-42-\d+/, { timeout: 60_000 })
    // What was written while nobody could see it is here too, each line once.
    const ticks = [...(await screenText(page)).matchAll(/^tick (\d+)$/gm)].map((match) => Number(match[1]))
    expect(ticks).toEqual(Array.from({ length: 400 }, (_, index) => index + 1))
    await screen(page).click()
    await page.keyboard.type('echo kept-$KEPT\n')
    await expect(rows(page)).toContainText('kept-yes')
  })

test('enters each namespace of the socket once', async ({ page }) => {
  const entered = new Map<string, number>()
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const [, sort, namespace = ''] = /^4([01])(\/[^,]*),/.exec(payload.toString()) ?? []
      if (sort === '0') entered.set(namespace, (entered.get(namespace) ?? 0) + 1)
      if (sort === '1') entered.delete(namespace)
    }),
  )
  await page.goto(`/h/${host}/containers`)
  await page.getByRole('link', { name: 'typing', exact: true }).click()
  // Until the page has come, the list with a button in every row is still there.
  await expect(page.getByRole('heading', { level: 1, name: /^typing/ })).toBeVisible()
  await page.getByRole('button', { name: 'Terminal', exact: true }).click()
  await expect(rows(page)).toContainText('#')
  await page.getByRole('tab', { name: 'Stats' }).click()
  await expect(page.getByText('Live, once a second')).toBeVisible()
  // With two sessions at the server only the later one is heard, and every credit is given twice.
  expect(Object.fromEntries(entered)).toMatchObject({ [`/hosts/${host}`]: 1, '/dashboard': 1 })
  expect([...entered.values()].every((times) => times === 1)).toBe(true)
})

test('keeps its size right while it floods', async ({ page }) => {
  test.setTimeout(120_000)
  await open(page)
  await page.keyboard.type('yes 0123456789 | head -c 8000000; echo done-$((6*7))\n')
  const edge = page.getByRole('separator', { name: 'Height of the panel' })
  await edge.focus()
  for (let step = 0; step < 8; step += 1) {
    const height = await edge.getAttribute('aria-valuenow')
    await page.keyboard.press(step % 3 === 2 ? 'ArrowDown' : 'ArrowUp')
    // Each is a size of its own: the page must have drawn it before the next is asked for.
    await expect(edge).not.toHaveAttribute('aria-valuenow', height as string)
  }
  await expect(rows(page)).toContainText('done-42', { timeout: 240_000 })
  await screen(page).click()
  let asked = 0
  await expect
    .poll(async () => {
      const said = await sizeOfTheProcess(page, ++asked)
      return said === (await rows(page).locator('> div').count())
    })
    .toBe(true)
})

test('resizes the process with the panel', async ({ page }) => {
  await open(page)
  let asked = 0
  const size = () => sizeOfTheProcess(page, ++asked)
  const before = await size()
  const edge = page.getByRole('separator', { name: 'Height of the panel' })
  await edge.focus()
  for (let step = 0; step < 5; step += 1) await page.keyboard.press('ArrowUp')
  await screen(page).click()
  await expect.poll(size).toBeGreaterThan(before)
})

test('finds words in the scroll-back', async ({ page }) => {
  await open(page)
  await page.keyboard.type('seq 1 500; echo counted-$((6*7))\n')
  await expect(rows(page)).toContainText('counted-42')
  await page.keyboard.press('Control+Shift+F')
  await page.getByRole('textbox', { name: 'Search' }).fill('137')
  await expect(rows(page)).toContainText('137')
  await page.keyboard.press('Escape')
})

test('is read out in screen-reader mode: what is written is announced, what is typed arrives', async ({ page }) => {
  await open(page)
  await page.getByRole('button', { name: 'Screen-reader mode' }).click()
  await screen(page).click()
  await page.keyboard.type('echo heard-$((6*7))\n')
  // xterm.js lays the rows out as a list for those who cannot see the canvas, and announces what comes.
  const read = screen(page).locator('.xterm-accessibility')
  await expect(read.getByRole('listitem').filter({ hasText: 'heard-42' }).first()).toBeAttached()
  await expect(read.locator('[aria-live]')).toContainText('heard-42')
  expect(await offences(page, { inside: '[aria-label="Terminal in typing"]' })).toEqual([])
  await page.reload()
  await expect(page.getByRole('button', { name: 'Screen-reader mode' })).toHaveAttribute('aria-pressed', 'true')
  await expect(read.getByRole('listitem').filter({ hasText: 'heard-42' }).first()).toBeAttached()
  await page.getByRole('button', { name: 'Screen-reader mode' }).click()
  await expect(read).toHaveCount(0)
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
