import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { person, readEnvironment, screenshotDirectory, sessionFile } from './environment-file.ts'

/** The whole path of the product, as a person walks it the first time. Each step stands on the one before. */
test.describe.configure({ mode: 'serial' })

let page: Page
test.beforeAll(async ({ browser }) => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  page = await context.newPage()
})
test.afterAll(async () => {
  await page.context().close()
})

let picture = 0
/** Kept as an artefact to be looked at. */
async function keep(name: string): Promise<void> {
  picture += 1
  await page.screenshot({ path: join(screenshotDirectory, `first-${String(picture).padStart(2, '0')}-${name}.png`) })
}
const docker = (...args: string[]) =>
  execFileSync('docker', ['-H', readEnvironment().agents[0]?.dockerHost as string, ...args], { encoding: 'utf8' }).trim()
const nav = (name: string) => page.getByRole('navigation').getByRole('link', { name: new RegExp(`^${name}`) })
const row = (name: string) => page.getByRole('row').filter({ has: page.getByText(name, { exact: true }) })

test('makes the first account with the one-time token', async () => {
  await page.goto('/')
  await expect(page).toHaveURL(/\/setup$/)
  await keep('setup')
  await page.getByLabel('Setup token').fill('setup_wrong')
  await page.getByLabel('Your name').fill(person.name)
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password', { exact: false }).first().fill(person.password)
  await page.getByLabel('Password again').fill(person.password)
  await page.getByRole('button', { name: 'Make the account' }).click()
  await expect(
    page
      .getByText(/token/i)
      .filter({ hasText: /not|wrong|does/i })
      .first(),
  ).toBeVisible()
  await page.getByLabel('Setup token').fill(readEnvironment().setupToken)
  await page.getByRole('button', { name: 'Make the account' }).click()
  await expect(page).toHaveURL(/\/hosts$/)
  await page.context().storageState({ path: sessionFile })
})

test('finds the local host enrolled by itself', async () => {
  const host = docker('info', '--format', '{{.Name}}')
  await expect(page.getByText(host, { exact: true }).first()).toBeVisible({ timeout: 30_000 })
  await keep('hosts')
})

test('pulls an image with progress', async () => {
  await nav('Images').click()
  await page.getByRole('button', { name: 'Pull an image' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reference').fill('web')
  await keep('pull')
  await dialog.getByRole('button', { name: 'Pull an image' }).click()
  await expect(page.getByText(/Downloading|Extracting|Pull complete/).first()).toBeVisible()
  await expect(page.getByText('Pull complete').first()).toBeVisible({ timeout: 60_000 })
  await keep('pulled')
  await expect(
    row('web:latest')
      .or(page.getByRole('row').filter({ hasText: 'web' }))
      .first(),
  ).toBeVisible()
  expect(docker('images', '--format', '{{.Repository}}:{{.Tag}}')).toContain('web:latest')
})

test('runs it with a memory and a CPU limit', async () => {
  await nav('Containers').click()
  await page
    .getByRole('link', { name: 'Run a container' })
    .or(page.getByRole('button', { name: 'Run a container' }))
    .first()
    .click()
  await page.getByRole('button', { name: 'Paste a docker run line' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('docker run -d --name shop -m 128m --cpus 0.5 -p 127.0.0.1::80 web')
  await dialog.getByRole('button', { name: /fill/i }).click()
  await expect(page.getByLabel('Name', { exact: false }).first()).toHaveValue('shop')
  await keep('form')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page).toHaveURL(/containers\/[0-9a-f]+/)
  await expect(page.getByRole('heading', { name: 'shop' })).toBeVisible()
  expect(docker('inspect', '-f', '{{.State.Status}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}', 'shop')).toBe(
    `running ${128 * 1024 * 1024} 500000000`,
  )
  await keep('running')
})

test('sees its log live', async () => {
  await page.getByRole('tab', { name: 'Logs' }).click()
  const port = docker('port', 'shop', '80').split(':').pop() as string
  // Running is not yet listening.
  const status = () =>
    fetch(`http://127.0.0.1:${port}/seen-live-in-the-log`).then(
      (answer) => answer.status,
      () => null,
    )
  await expect.poll(status).toBe(404)
  await expect(page.getByText(/GET \/seen-live-in-the-log/).first()).toBeVisible()
  await keep('log')
})

test('opens a terminal in it and types', async () => {
  await page.getByRole('tab', { name: 'Terminal' }).click()
  await page
    .getByRole('button', { name: /Open a terminal|^Open$/ })
    .first()
    .click()
  const terminal = page.getByRole('group', { name: 'Terminal in shop' })
  await expect(terminal.locator('.xterm-rows')).toContainText('#', { timeout: 20_000 })
  await terminal.click()
  await page.keyboard.type('echo $((6*7))-from-$(hostname) > /tmp/typed; cat /tmp/typed\n')
  await expect(terminal.locator('.xterm-rows')).toContainText(`42-from-${docker('inspect', '-f', '{{.Config.Hostname}}', 'shop')}`)
  expect(docker('exec', 'shop', 'cat', '/tmp/typed')).toMatch(/^42-from-/)
  await keep('terminal')
})

test('sees its numbers move', async () => {
  await page.getByRole('tab', { name: 'Stats' }).click()
  await expect(page.getByText('Live, once a second')).toBeVisible()
  docker('exec', '-d', 'shop', 'sh', '-c', 'i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done')
  // A busy loop held to half a core: more than ten percent must show, and never more than about half.
  const used = async () => Number(/used\s+([\d.]+)\s?%/.exec(await page.locator('main').innerText())?.[1] ?? 0)
  await expect.poll(used, { timeout: 30_000 }).toBeGreaterThan(10)
  expect(await used()).toBeLessThan(75)
  await keep('stats')
})

test('stops it and removes it', async () => {
  await page.getByRole('button', { name: 'Stop', exact: true }).click()
  await expect.poll(() => docker('inspect', '-f', '{{.State.Status}}', 'shop')).toBe('exited')
  await expect(page.getByText(/exit/i).first()).toBeVisible()
  await keep('stopped')
  await page.getByRole('button', { name: 'Actions for shop' }).click()
  await page.getByRole('menuitem', { name: 'Remove…' }).click()
  await page.getByRole('dialog').or(page.getByRole('alertdialog')).getByRole('button', { name: 'Remove', exact: true }).click()
  await expect.poll(() => docker('ps', '-aq')).toBe('')
  await keep('removed')
})
