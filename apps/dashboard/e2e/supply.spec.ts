import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { readEnvironment } from './environment-file.ts'
import { docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** Images, registries, volumes and networks beyond the everyday: in and out through the browser, by the page, looked at through docker afterwards. */
let host = ''
let hostName = ''
let directory = ''
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  const { first } = await hostsOf(page)
  host = first.id
  hostName = first.name
  await page.close()
  directory = mkdtempSync(join(tmpdir(), 'berth-e2e-supply-'))
  docker(0, 'pull', 'busybox')
})
test.afterAll(() => rmSync(directory, { recursive: true, force: true }))

const dialog = (page: Page) => page.getByRole('dialog')
const confirm = (page: Page) => page.getByTestId('confirm')
const succeeded = (page: Page) => expect(page.locator('[data-operation-state=succeeded]:visible')).toBeVisible({ timeout: 60_000 })
async function menu(page: Page, name: string, item: string): Promise<void> {
  await page
    .getByRole('button', { name: `Actions for ${name}`, exact: true })
    .first()
    .click()
  await page.getByRole('menuitem', { name: item }).click()
}
async function download(page: Page, act: () => Promise<unknown>): Promise<string> {
  const waiting = page.waitForEvent('download')
  await act()
  const file = await waiting
  const path = join(directory, file.suggestedFilename())
  await file.saveAs(path)
  return path
}

test('signs in to a registry, tests it, pushes, looks into it, pulls, deletes a tag and signs out', async ({ page }) => {
  test.setTimeout(150_000)
  const { closedRegistry } = readEnvironment()
  const pushed = `${closedRegistry.host}/closed/box:1`
  docker(0, 'tag', 'busybox', pushed)
  await page.goto(`/h/${host}/registries`)
  await page.getByRole('button', { name: 'Add credentials' }).first().click()
  await dialog(page).getByLabel('Server').fill(closedRegistry.host)
  await dialog(page).getByLabel('User name').fill(closedRegistry.username)
  const secret = dialog(page).getByLabel('Password or token')
  await secret.fill('wrong')
  await confirm(page).click()
  await expect(dialog(page).getByRole('alert')).toBeVisible()
  await expect(secret).toHaveValue('')
  await secret.fill(closedRegistry.password)
  await confirm(page).click()
  await expect(dialog(page)).toBeHidden()
  const line = page.locator('main').getByRole('listitem').filter({ hasText: closedRegistry.host })
  await expect(line).toContainText(`signed in as ${closedRegistry.username}`)
  await line.getByRole('button', { name: 'Test' }).click()
  await expect(line.getByRole('note')).toBeVisible()
  expect(await page.content()).not.toContain(closedRegistry.password)

  await page.goto(`/h/${host}/images?q=closed`)
  await page
    .getByRole('button', { name: /^Actions for/ })
    .first()
    .click()
  await page.getByRole('menuitem', { name: 'Push…' }).click()
  await dialog(page).getByLabel('Tag', { exact: true }).click()
  await page.getByRole('option', { name: pushed }).click()
  await confirm(page).click()
  await succeeded(page)
  tryDocker(0, 'rmi', pushed)

  await page.goto(`/h/${host}/registries`)
  await page.getByRole('button', { name: closedRegistry.host, exact: true }).click()
  await page.getByRole('button', { name: 'closed/box' }).click()
  await dialog(page).getByRole('button', { name: 'Pull 1' }).click()
  await expect.poll(() => docker(0, 'images', '-q', pushed), { timeout: 30_000 }).not.toBe('')
  await dialog(page).first().getByRole('button', { name: 'Delete 1' }).click()
  await page
    .getByRole('dialog', { name: /Delete 1/ })
    .getByRole('textbox')
    .fill('1')
  await confirm(page).click()
  await expect(page.getByText('No tags.')).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: `Remove the credentials of ${closedRegistry.host}` }).click()
  await confirm(page).click()
  await expect(page.getByText(`signed in as ${closedRegistry.username}`)).toHaveCount(0)
  tryDocker(0, 'rmi', pushed)
})

test('saves an image through the browser and loads it again', async ({ page }) => {
  docker(0, 'tag', 'busybox', 'travelled:1')
  await page.goto(`/h/${host}/images?q=travelled`)
  const archive = await download(page, async () => {
    await page
      .getByRole('button', { name: /^Actions for/ })
      .first()
      .click()
    await page.getByRole('menuitem', { name: 'Save as archive' }).click()
  })
  expect(execFileSync('tar', ['-tf', archive], { encoding: 'utf8' })).toContain('manifest.json')
  docker(0, 'rmi', 'travelled:1')
  await page.goto(`/h/${host}/images`)
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Load an archive…' }).click()
  await confirm(page).click()
  await expect(dialog(page).getByRole('alert')).toBeVisible()
  await dialog(page).locator('input[type=file]').setInputFiles(archive)
  await confirm(page).click()
  await succeeded(page)
  expect(docker(0, 'images', '-q', 'travelled:1')).not.toBe('')
  docker(0, 'rmi', 'travelled:1')
})

test('recreates a container with a truly newer image, with its name, options and volume', async ({ page }) => {
  const { registry } = readEnvironment()
  const image = `${registry}/moving/box:latest`
  const push = (version: number) => {
    tryDocker(0, 'rm', '-f', 'made')
    docker(0, 'run', '--name', 'made', 'busybox', 'sh', '-c', `echo ${version} > /version`)
    docker(0, 'commit', 'made', image)
    docker(0, 'rm', 'made')
    docker(0, 'push', image)
  }
  push(1)
  tryDocker(0, 'rm', '-f', 'moving')
  const options = ['--name', 'moving', '-e', 'COLOUR=green', '-m', '64m', '-v', 'moving-data:/data', '--restart', 'on-failure:3']
  const id = docker(0, 'run', '-d', ...options, image, 'sh', '-c', 'touch /data/kept; trap "exit 0" TERM; while :; do sleep 0.2; done')
  push(2)
  // Here it is the old one again: only a pull brings the newer.
  docker(0, 'tag', docker(0, 'inspect', '-f', '{{.Image}}', 'moving'), image)
  await page.goto(`/h/${host}/containers/${id}`)
  await menu(page, 'moving', 'Recreate…')
  await confirm(page).click()
  await expect
    .poll(() => docker(0, 'ps', '-q', '--no-trunc', '-f', 'name=^moving$'), { timeout: 40_000 })
    .not.toMatch(new RegExp(`^(${id})?$`))
  expect(docker(0, 'exec', 'moving', 'cat', '/version')).toBe('2')
  expect(docker(0, 'exec', 'moving', 'ls', '/data')).toBe('kept')
  const format = '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}'
  expect(docker(0, 'inspect', '-f', format, 'moving')).toBe(`${64 * 1024 * 1024} on-failure:3`)
  expect(docker(0, 'exec', 'moving', 'sh', '-c', 'echo $COLOUR')).toBe('green')
  tryDocker(0, 'rm', '-f', 'moving')
  tryDocker(0, 'volume', 'rm', 'moving-data')
})

test('takes the whole file system of a container along', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'to-export')
  const id = docker(0, 'run', '-d', '--name', 'to-export', 'busybox', 'sh', '-c', 'echo mine > /made-here; exec sleep 1000')
  await page.goto(`/h/${host}/containers/${id}`)
  const archive = await download(page, () => menu(page, 'to-export', 'Export as archive'))
  const listed = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).split('\n')
  expect(listed).toEqual(expect.arrayContaining(['made-here', 'bin/busybox']))
  expect(execFileSync('tar', ['-xOf', archive, 'made-here'], { encoding: 'utf8' })).toBe('mine\n')
  docker(0, 'rm', '-f', 'to-export')
})

test('builds from a folder of this machine and shows each step as it comes', async ({ page }) => {
  const context = join(directory, 'context')
  mkdirSync(join(context, 'src'), { recursive: true })
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY src/greeting /greeting\nRUN echo step-is-live && cat /greeting\n')
  writeFileSync(join(context, 'src/greeting'), 'from the folder 世界\n')
  await page.goto(`/h/${host}/images`)
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Build…' }).click()
  await dialog(page).locator('input[type=file]').setInputFiles(context)
  await dialog(page).getByLabel('Tags').fill('from-folder:1')
  await confirm(page).click()
  await expect(
    page
      .getByRole('region', { name: /output/i })
      .or(page.getByLabel(/output/i))
      .first(),
  ).toContainText('step-is-live', { timeout: 60_000 })
  await succeeded(page)
  expect(docker(0, 'run', '--rm', 'from-folder:1', 'cat', '/greeting')).toBe('from the folder 世界')
  docker(0, 'rmi', 'from-folder:1')
})

test('a clean-up of images, volumes and networks shows exactly what goes, and that is what goes', async ({ page }) => {
  tryDocker(0, 'network', 'rm', 'lonely')
  tryDocker(0, 'volume', 'rm', '-f', 'named-and-free')
  docker(0, 'network', 'create', 'lonely')
  docker(0, 'volume', 'create', 'named-and-free')
  const anonymous = docker(0, 'volume', 'create')
  const list = dialog(page).getByRole('list', { name: 'What would go' })
  await page.goto(`/h/${host}/networks`)
  await page.getByRole('button', { name: 'Clean up…' }).click()
  await expect(list).toContainText('lonely')
  await confirm(page).click()
  await expect.poll(() => docker(0, 'network', 'ls', '--format', '{{.Name}}')).not.toContain('lonely')

  await page.goto(`/h/${host}/volumes`)
  await page.getByRole('button', { name: 'Clean up…' }).click()
  await expect(list).toContainText(anonymous.slice(0, 12))
  await expect(list).not.toContainText('named-and-free')
  await dialog(page).getByRole('checkbox', { name: 'Those with a name too' }).click()
  await expect(list).toContainText('named-and-free')
  await expect(confirm(page)).toHaveAttribute('aria-disabled', 'true')
  await dialog(page).getByRole('textbox').fill(hostName)
  await confirm(page).click()
  await expect.poll(() => docker(0, 'volume', 'ls', '-q')).not.toContain('named-and-free')
  expect(docker(0, 'volume', 'ls', '-q')).not.toContain(anonymous)
  // And with nothing left there is nothing to confirm.
  await page.getByRole('button', { name: 'Clean up…' }).click()
  await expect(dialog(page)).toContainText('There is nothing to remove.')
  await expect(confirm(page)).toHaveAttribute('aria-disabled', 'true')
})

test('restores a volume from a back-up, and its files are there to be looked at', async ({ page }) => {
  tryDocker(0, 'volume', 'rm', '-f', 'back-and-forth')
  docker(0, 'run', '--rm', '-v', 'back-and-forth:/data', 'busybox', 'sh', '-c', 'mkdir /data/deep && echo first > /data/deep/file')
  await page.goto(`/h/${host}/volumes?q=back-and-forth`)
  const archive = await download(page, () => menu(page, 'back-and-forth', 'Back up (download)'))
  docker(0, 'run', '--rm', '-v', 'back-and-forth:/data', 'busybox', 'sh', '-c', 'echo second > /data/deep/file')
  await menu(page, 'back-and-forth', 'Restore…')
  await dialog(page).locator('input[type=file]').setInputFiles(archive)
  await confirm(page).click()
  await succeeded(page)
  expect(docker(0, 'run', '--rm', '-v', 'back-and-forth:/data', 'busybox', 'cat', '/data/deep/file')).toBe('first')
  await page.getByRole('link', { name: 'back-and-forth', exact: true }).click()
  await page.getByRole('button', { name: 'deep', exact: true }).click()
  await expect(page.getByRole('button', { name: 'file', exact: true })).toBeVisible()
  expect(readFileSync(archive).byteLength).toBeGreaterThan(50)
  docker(0, 'volume', 'rm', 'back-and-forth')
})

test('removes many at once: what can goes, what cannot is named, and only that is tried again', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'holder')
  tryDocker(0, 'volume', 'rm', '-f', 'many-1', 'many-2', 'many-held')
  for (const name of ['many-1', 'many-2', 'many-held']) docker(0, 'volume', 'create', name)
  await page.goto(`/h/${host}/volumes?q=many-`)
  await page.getByRole('checkbox', { name: 'Select all that are shown' }).click()
  await page.getByRole('toolbar').getByRole('button', { name: 'Remove…' }).click()
  // In use only after the dialog was opened: the page could not know.
  runChatty(0, 'holder', '-v', 'many-held:/held')
  await dialog(page).getByRole('textbox').fill('3')
  await confirm(page).click()
  const alert = dialog(page).getByRole('alert')
  await expect(alert).toContainText('1 of 3')
  await expect(alert).toContainText('many-held')
  expect(docker(0, 'volume', 'ls', '-q', '-f', 'name=many-')).toBe('many-held')
  docker(0, 'rm', '-f', 'holder')
  await expect(confirm(page)).toHaveText(/Try again/)
  await confirm(page).click()
  await expect(dialog(page)).toBeHidden()
  expect(docker(0, 'volume', 'ls', '-q', '-f', 'name=many-')).toBe('')
})

test('keeps filter, facets and sorting in the address: a view can be sent, and Back comes to it again', async ({ page }) => {
  tryDocker(0, 'volume', 'rm', '-f', 'view-a', 'view-b')
  docker(0, 'volume', 'create', 'view-a')
  docker(0, 'volume', 'create', 'view-b')
  await page.goto(`/h/${host}/volumes`)
  // A page with rows listens to its keys.
  await expect(page.getByRole('link', { name: 'view-a', exact: true })).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.type('view-')
  await page.getByRole('button', { name: 'Name', exact: true }).click()
  await expect(page).toHaveURL(/q=view-/)
  await expect(page).toHaveURL(/sort=-name/)
  const links = page.locator('main').getByRole('link', { name: /^view-/ })
  await expect(links).toHaveText(['view-b', 'view-a'])
  await links.first().click()
  await expect(page.getByRole('heading', { name: 'view-b' })).toBeVisible()
  await page.goBack()
  await expect(links).toHaveText(['view-b', 'view-a'])
  await expect(page.getByRole('searchbox')).toHaveValue('view-')
  await page.reload()
  await expect(links).toHaveText(['view-b', 'view-a'])
  await page.getByRole('button', { name: 'Clear filter' }).click()
  await expect(page).not.toHaveURL(/q=/)
  docker(0, 'volume', 'rm', 'view-a', 'view-b')
})
