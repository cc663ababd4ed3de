import { expect, type Page, test } from '@playwright/test'
import { docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** For who hears the page and has no mouse: what is announced, once and not in floods; and the ways of the keyboard, each from its beginning to its end. */
let host = ''
let box = ''
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  docker(0, 'pull', 'busybox')
  box = runChatty(0, 'heard')
  tryDocker(0, 'rm', '-f', 'typed')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'heard', 'typed')
})

/** What Next.js says of a change of page: in a shadow root, where no locator looks. */
const announced = (page: Page) => page.evaluate(() => document.querySelector('next-route-announcer')?.shadowRoot?.textContent ?? '')

/** What the element with the focus is called. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement
    const labelled =
      element && 'labels' in element ? [...((element as HTMLInputElement).labels ?? [])].map((one) => one.textContent).join(' ') : ''
    return (element?.getAttribute('aria-label') || labelled || element?.textContent || '').trim()
  })

/** Presses Tab until the focus is on what is called so. */
async function tabTo(page: Page, name: string | RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const seen: string[] = []
  for (let presses = 0; presses < 80; presses += 1) {
    const now = await focused(page)
    if (typeof name === 'string' ? now === name : name.test(now)) return
    seen.push(now.slice(0, 30))
    await page.keyboard.press(key)
  }
  throw new Error(`no way to ${name} by ${key}: ${seen.join(' | ')}`)
}

test('a change of page is announced by its name', async ({ page }) => {
  await page.goto('/h/all/containers')
  await expect(page.getByRole('link', { name: 'heard', exact: true })).toBeVisible()
  await page.keyboard.press('g')
  await page.keyboard.press('i')
  await expect(page.getByRole('heading', { level: 1, name: 'Images' })).toBeVisible()
  await expect.poll(() => announced(page)).toContain('Images')
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await page.getByRole('link', { name: 'heard', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: /heard/ })).toBeVisible()
  await expect.poll(() => announced(page)).not.toContain('Images')
})

test('a followed log speaks of what comes every few seconds and not line by line', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${box}?tab=logs`)
  const log = page.getByRole('log')
  await expect(log).toContainText(/plain line \d+/)
  await expect(log).toHaveAttribute('aria-live', 'off')
  const voice = page
    .getByRole('tabpanel')
    .getByRole('status')
    .filter({ hasText: /new lines/ })
  await expect(voice).toHaveText(/^\d+ new lines, the newest: \S/, { timeout: 20_000 })
})

test('tabs: the arrows and Home and End move, Enter opens', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${box}`)
  const tab = (name: string) => page.getByRole('tab', { name })
  await tab('Overview').focus()
  await page.keyboard.press('ArrowRight')
  await expect(tab('Logs')).toBeFocused()
  await expect(tab('Overview')).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('End')
  await expect(tab('Inspect')).toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(tab('Overview')).toBeFocused()
  await page.keyboard.press('End')
  await expect(tab('Inspect')).toBeFocused()
  await page.keyboard.press('Home')
  await expect(tab('Overview')).toBeFocused()
  await page.keyboard.press('ArrowRight')
  await expect(tab('Logs')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(tab('Logs')).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('tabpanel')).toBeVisible()
})

test('a terminal is left by a key that it names; docked tabs are moved between and closed by keys', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${box}`)
  await tabTo(page, 'Logs')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('tab', { name: /heard/ })).toHaveCount(1)
  await page.getByRole('button', { name: 'Terminal', exact: true }).focus()
  await page.keyboard.press('Enter')
  const terminal = page.getByRole('group', { name: 'Terminal in heard' })
  await expect(terminal.locator('.xterm-rows')).toContainText('#')
  const input = terminal.getByRole('textbox')
  await expect(input).toBeFocused()
  await expect(input).toHaveAccessibleDescription('Ctrl+Shift+L leaves the terminal')
  await page.keyboard.press('Tab')
  await expect(input).toBeFocused()
  await page.keyboard.press('Control+Shift+L')
  await expect.poll(() => focused(page)).toBe('Search')
  await page.keyboard.press('Shift+Tab')
  await expect(input).toBeFocused()
  await page.keyboard.press('Control+Shift+L')
  const dock = page.getByRole('region', { name: 'Open terminals and logs' })
  await dock.getByRole('tab').last().focus()
  await page.keyboard.press('Home')
  await expect(dock.getByRole('tab').first()).toBeFocused()
  await expect(dock.getByRole('tab').first()).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('Delete')
  await expect(dock.getByRole('tab')).toHaveCount(1)
  await expect(dock.getByRole('tab')).toBeFocused()
})

test('a container is made, limited, chosen and stopped without a mouse', async ({ page }) => {
  test.setTimeout(120_000)
  await page.goto(`/h/${host}/containers`)
  await expect(page.getByRole('link', { name: 'heard', exact: true })).toBeVisible()
  await tabTo(page, /^Run a container/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Run a container' })).toBeVisible()
  await tabTo(page, /^Paste a docker run line/)
  await page.keyboard.press('Enter')
  await page.keyboard.type('docker run -d --name heard busybox sleep 1000')
  await tabTo(page, /^Fill/)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeHidden()
  // What is refused has the focus, with the reason as its description.
  await tabTo(page, 'Run', 'Shift+Tab')
  await page.keyboard.press('Enter')
  const name = page.getByRole('textbox', { name: /^Name/ })
  await expect(name).toBeFocused()
  await expect(name).toHaveAccessibleDescription(/is already in use/)
  await page.keyboard.press('Control+A')
  await page.keyboard.type('typed')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: /typed/ })).toBeVisible()
  await tabTo(page, /^Memory$/)
  await tabTo(page, 'Processes')
  await page.keyboard.type('99')
  await tabTo(page, /^Apply now/)
  await page.keyboard.press('Enter')
  await expect.poll(() => docker(0, 'inspect', '-f', '{{.HostConfig.PidsLimit}}', 'typed')).toBe('99')
  await page.keyboard.press('Control+K')
  await page.keyboard.type('typed')
  await expect(page.getByRole('dialog').getByRole('option').first()).toContainText('typed')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await page.keyboard.press('g')
  await page.keyboard.press('c')
  await expect(page.getByRole('link', { name: 'heard', exact: true })).toBeVisible()
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox')).toBeFocused()
  await page.keyboard.type('typed')
  await expect(page.getByRole('row')).toHaveCount(2)
  await tabTo(page, 'typed')
  await page.keyboard.press('Space')
  await tabTo(page, 'Stop')
  await page.keyboard.press('Enter')
  await expect.poll(() => docker(0, 'inspect', '-f', '{{.State.Status}}', 'typed'), { timeout: 30_000 }).toBe('exited')
  // It was told once, where a screen reader listens.
  await expect(page.locator('section[aria-live=polite]').getByText(/Stop/)).toBeVisible()
})

test('a log is searched and directories are walked without a mouse, and the focus is never lost', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${box}?tab=logs`)
  await expect(page.getByRole('log')).toContainText(/plain line \d+/)
  await tabTo(page, 'Search the log at the agent')
  await page.keyboard.type('slow query')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('log')).not.toContainText('plain line')
  await expect.poll(() => focused(page)).toBe('Search the log at the agent')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('log')).toContainText(/plain line \d+/)

  await page.goto(`/h/${host}/containers/${box}?tab=files`)
  await expect(page.getByRole('button', { name: 'etc', exact: true })).toBeVisible()
  const nowhere = () => page.evaluate(() => document.activeElement === null || document.activeElement === document.body)
  await tabTo(page, 'etc')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'passwd', exact: true })).toBeVisible()
  expect(await nowhere()).toBe(false)
  await tabTo(page, 'passwd')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toContainText('root')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect.poll(() => focused(page)).toBe('passwd')
  await page.keyboard.press('/')
  await expect(page.getByRole('searchbox', { name: 'Filter by name' })).toBeFocused()
  await page.keyboard.type('group')
  await expect(page.getByRole('button', { name: 'passwd', exact: true })).toBeHidden()
  expect(await nowhere()).toBe(false)
})

test('what the agent refuses is told in Chinese to who reads Chinese', async ({ browser }) => {
  const context = await browser.newContext({ locale: 'zh-CN' })
  const page = await context.newPage()
  await page.goto(`/h/${host}/networks`)
  await page.getByRole('button', { name: '创建网络' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').first().fill('bridge')
  await page.getByTestId('confirm').click()
  await expect(dialog.getByRole('alert')).toContainText('名为 bridge 的网络已存在')
  await expect(dialog.locator('[lang=en]')).toHaveCount(0)
  await context.close()
})
