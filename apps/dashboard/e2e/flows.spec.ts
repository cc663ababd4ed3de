import { expect, type Page, test } from '@playwright/test'
import { readEnvironment } from './environment-file.ts'
import { docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** What people do all day, by the page, looked at through docker afterwards. */
let host = ''
let hostName = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  const { first } = await hostsOf(page)
  host = first.id
  hostName = first.name
  await page.close()
})

const dialog = (page: Page) => page.getByRole('dialog')
const confirm = (page: Page) => page.getByTestId('confirm')
async function menu(page: Page, name: string | RegExp, entry: string): Promise<void> {
  await page
    .getByRole('button', typeof name === 'string' ? { name: `Actions for ${name}`, exact: true } : { name })
    .first()
    .click()
  await page.getByRole('menuitem', { name: entry }).click()
}
const state = (agent: 0 | 1, name: string) => docker(agent, 'inspect', '-f', '{{.State.Status}}', name)

test('acts on several containers of several hosts at once', async ({ page }) => {
  runChatty(0, 'bulk-a')
  docker(1, 'pull', 'busybox')
  runChatty(1, 'bulk-b')
  await page.goto('/h/all/containers')
  // A page with rows listens to its keys.
  await expect(page.getByRole('link', { name: 'bulk-b', exact: true })).toBeVisible()
  await page.keyboard.press('/')
  await page.keyboard.type('bulk-')
  await expect(page).toHaveURL(/q=bulk-/)
  await page.getByRole('checkbox', { name: 'bulk-a' }).click()
  await page.getByRole('checkbox', { name: 'bulk-b' }).click()
  const bar = page.getByRole('toolbar', { name: 'Actions on the selection' })
  await bar.getByRole('button', { name: 'Pause' }).click()
  await expect.poll(() => [state(0, 'bulk-a'), state(1, 'bulk-b')]).toEqual(['paused', 'paused'])
  await expect(page.getByText('Pause: 2 containers done')).toBeVisible()
  await bar.getByRole('button', { name: 'Remove…' }).click()
  await expect(confirm(page)).toHaveAttribute('aria-disabled', 'true')
  await dialog(page)
    .getByRole('checkbox', { name: /running: end them first/ })
    .click()
  await confirm(page).click()
  await expect.poll(() => docker(0, 'ps', '-aq', '-f', 'name=bulk-') + docker(1, 'ps', '-aq', '-f', 'name=bulk-')).toBe('')
})

test('keeps those selected that an action failed for, says why, and tries them alone', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'same-a', 'same-b', 'same-c')
  for (const [name, ...options] of [['same-a', '-p', '18099:80'], ['same-b', '-p', '18099:80'], ['same-c']] as const)
    docker(0, 'create', '--name', name, ...options, 'busybox', 'sleep', '1000')
  await page.goto(`/h/${host}/containers?q=same-`)
  await page.getByRole('checkbox', { name: 'Select all that are shown' }).click()
  const bar = page.getByRole('toolbar', { name: 'Actions on the selection' })
  await bar.getByRole('button', { name: 'Start', exact: true }).click()
  // Two want one port: whichever came second.
  const failed = page.getByRole('alert', { name: 'Rows that failed' })
  await expect(failed).toContainText('18099')
  await expect(page.getByText('Start: 2 done, 1 failed')).toBeVisible()
  await expect(bar).toContainText('1 selected')
  const [running, other] = state(0, 'same-a') === 'running' ? ['same-a', 'same-b'] : ['same-b', 'same-a']
  await expect(failed).toContainText(other as string)
  await expect(page.getByRole('checkbox', { name: other })).toBeChecked()
  await expect(page.getByRole('checkbox', { name: 'same-c' })).not.toBeChecked()
  docker(0, 'rm', '-f', running as string)
  await bar.getByRole('button', { name: 'Start', exact: true }).click()
  await expect.poll(() => state(0, other as string)).toBe('running')
  await expect(failed).toBeHidden()
  tryDocker(0, 'rm', '-f', 'same-a', 'same-b', 'same-c')
})

test('changes limits while it runs', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'limited')
  docker(0, 'pull', 'busybox')
  const id = docker(0, 'run', '-d', '--name', 'limited', '-m', '64m', '--cpus', '0.05', 'busybox', 'sh', '-c', 'while :; do :; done')
  await page.goto(`/h/${host}/containers/${id}`)
  const card = page.getByRole('heading', { name: 'Limits' }).locator('xpath=ancestor::section')
  const fields = card.getByRole('textbox')
  await expect(fields.nth(0)).toHaveValue('64m')
  // What it uses and how much it is held back stand beside.
  await expect(card).toContainText(/throttled [1-9]/i)
  await card.getByRole('slider').first().focus()
  await page.keyboard.press('ArrowRight')
  await expect(fields.nth(0)).toHaveValue('80m')
  await fields.nth(0).fill('96m')
  await fields.nth(1).fill('0.25')
  await card.getByRole('button', { name: 'Apply now' }).click()
  await expect
    .poll(() => docker(0, 'inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.State.Status}}', 'limited'))
    .toBe(`${96 * 1024 * 1024} 250000000 running`)
  await fields.nth(0).fill('lots')
  await expect(card.getByRole('alert')).toContainText('512m')
  tryDocker(0, 'rm', '-f', 'limited')
})

test('renames, signals, duplicates, recreates and makes an image', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'before', 'after', 'after-copy')
  const id = runChatty(0, 'before', '-e', 'COLOUR=green')
  await page.goto(`/h/${host}/containers/${id}`)
  await menu(page, 'before', 'Rename…')
  await dialog(page).getByLabel('New name').fill('after')
  await confirm(page).click()
  await expect(page.getByRole('heading', { name: 'after' })).toBeVisible()
  await menu(page, 'after', 'Make an image…')
  await dialog(page).getByLabel('Name and tag').fill('made-here:1')
  await confirm(page).click()
  await expect(page.locator('[data-operation-state=succeeded]')).toBeVisible({ timeout: 30_000 })
  expect(docker(0, 'images', '-q', 'made-here:1')).not.toBe('')
  await menu(page, 'after', 'Recreate…')
  await dialog(page).getByRole('checkbox', { name: 'Pull the image first' }).click()
  await confirm(page).click()
  // While it is being recreated there may be none of this name.
  await expect
    .poll(() => docker(0, 'ps', '-q', '--no-trunc', '-f', 'name=^after$', '-f', 'status=running'), { timeout: 40_000 })
    .not.toMatch(new RegExp(`^(${id})?$`))
  const next = docker(0, 'inspect', '-f', '{{.Id}}', 'after')
  await page.goto(`/h/${host}/containers/${next}`)
  await menu(page, 'after', 'Duplicate…')
  await expect(page.getByLabel('Name', { exact: false }).first()).toHaveValue('after-copy')
  await page.getByTestId('create').click()
  await expect.poll(() => docker(0, 'ps', '-q', '-f', 'name=after-copy')).not.toBe('')
  expect(docker(0, 'inspect', '-f', '{{.Config.Env}}', 'after-copy')).toContain('COLOUR=green')
  await page.goto(`/h/${host}/containers/${next}`)
  await menu(page, 'after', 'Send a signal…')
  await confirm(page).click()
  await expect(page.getByTestId('death')).toContainText('It was killed (SIGKILL).')
  tryDocker(0, 'rm', '-f', 'after', 'after-copy')
  tryDocker(0, 'rmi', 'made-here:1')
})

test('sends the signal that is chosen, and says why a container died: want of memory, with its last lines', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'listener', 'hungry')
  const listener = docker(
    0,
    ...[
      'run',
      '-d',
      '--name',
      'listener',
      'busybox',
      'sh',
      '-c',
      'trap "echo heard USR1" USR1; echo listening; while :; do sleep 0.2; done',
    ],
  )
  await expect.poll(() => docker(0, 'logs', 'listener')).toBe('listening')
  await page.goto(`/h/${host}/containers/${listener}?tab=logs`)
  await menu(page, 'listener', 'Send a signal…')
  await dialog(page).getByRole('combobox', { name: 'Signal' }).click()
  await page.getByRole('option', { name: /SIGUSR1/ }).click()
  await confirm(page).click()
  await expect(page.getByRole('log')).toContainText('heard USR1')
  // `tail` keeps the line without an end that it is given, and is ended for it.
  const eater = 'echo about to eat; exec tail /dev/zero'
  const hungry = docker(0, 'run', '-d', '--name', 'hungry', '-m', '24m', '--memory-swap', '24m', 'busybox', 'sh', '-c', eater)
  await page.goto(`/h/${host}/containers/${hungry}`)
  await expect(page.getByTestId('death')).toContainText('OOM', { timeout: 30_000 })
  await expect(page.getByTestId('death')).toContainText('137')
  await expect(page.getByTestId('death')).toContainText('about to eat')
  tryDocker(0, 'rm', '-f', 'listener', 'hungry')
})

test('says beside the field what is wrong with a form', async ({ page }) => {
  await page.goto(`/h/${host}/containers/new`)
  await page.getByTestId('create').click()
  await expect(page.getByRole('alert').filter({ hasText: 'nginx:1.27' })).toBeVisible()
  await page.getByText('Limits', { exact: true }).click()
  await page.getByLabel('Memory', { exact: true }).fill('much')
  await expect(page.getByRole('alert').filter({ hasText: '512m' })).toBeVisible()
})

test('looks into, changes, takes and brings files', async ({ page }) => {
  const id = runChatty(0, 'filed')
  await page.goto(`/h/${host}/containers/${id}?tab=files`)
  await page.getByRole('button', { name: 'tmp', exact: true }).click()
  await page
    .getByLabel('Upload', { exact: true })
    .setInputFiles({ name: 'hello.txt', mimeType: 'text/plain', buffer: Buffer.from('hello 世界\n') })
  await expect(page.getByRole('button', { name: 'hello.txt', exact: true })).toBeVisible()
  expect(docker(0, 'exec', 'filed', 'cat', '/tmp/hello.txt')).toBe('hello 世界')
  await page.getByRole('button', { name: 'hello.txt', exact: true }).click()
  const editor = dialog(page).locator('.cm-content')
  await expect(editor).toContainText('hello 世界')
  await editor.click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('well, ')
  await dialog(page).getByRole('button', { name: 'Save' }).click()
  await expect.poll(() => docker(0, 'exec', 'filed', 'cat', '/tmp/hello.txt')).toBe('well, hello 世界')
  const download = page.waitForEvent('download')
  await menu(page, 'hello.txt', 'Download as archive')
  expect((await download).suggestedFilename()).toMatch(/\.tar$/)
  await menu(page, 'hello.txt', 'Remove')
  await confirm(page).click()
  await expect.poll(() => docker(0, 'exec', 'filed', 'ls', '/tmp')).toBe('')
  tryDocker(0, 'rm', '-f', 'filed')
})

test('builds from a Dockerfile, tags, pushes, finds it in the registry and cleans up', async ({ page }) => {
  test.setTimeout(150_000)
  const { registry } = readEnvironment()
  await page.goto(`/h/${host}/images`)
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Build…' }).click()
  await dialog(page).getByLabel('From').click()
  await page.getByRole('option', { name: /A Dockerfile typed here/ }).click()
  await dialog(page)
    .getByLabel('Dockerfile', { exact: true })
    .fill('FROM busybox\nRUN echo built-by-the-page > /made\nCMD ["cat", "/made"]\n')
  await dialog(page).getByLabel('Tags').fill('built:1')
  await confirm(page).click()
  await expect(page.locator('[data-operation-state=succeeded]')).toBeVisible({ timeout: 60_000 })
  expect(docker(0, 'run', '--rm', 'built:1')).toBe('built-by-the-page')
  await menu(page, 'built:1', 'Tag…')
  await dialog(page).getByLabel('Name and tag').fill(`${registry}/team/built:2`)
  await confirm(page).click()
  await expect(dialog(page)).toBeHidden()
  // The row is called by the first of its names.
  await menu(page, new RegExp(`^Actions for (built:1|${registry}/team/built:2)$`), 'Push…')
  await dialog(page).getByLabel('Tag', { exact: true }).click()
  await page.getByRole('option', { name: `${registry}/team/built:2` }).click()
  await confirm(page).click()
  await expect(page.locator('[data-operation-state=succeeded]:visible')).toBeVisible({ timeout: 60_000 })
  await page.goto(`/h/${host}/registries`)
  await page.getByLabel('Look into another registry').fill(registry)
  await page.getByRole('button', { name: 'Look', exact: true }).click()
  await page.getByRole('button', { name: 'team/built' }).click()
  await expect(dialog(page).getByText('2', { exact: true })).toBeVisible()
  await page.keyboard.press('Escape')
  tryDocker(0, 'rmi', '-f', 'built:1', `${registry}/team/built:2`)
})

test('makes, clones, backs up and removes a volume', async ({ page }) => {
  tryDocker(0, 'volume', 'rm', '-f', 'kept', 'kept-copy')
  await page.goto(`/h/${host}/volumes`)
  await page.getByRole('button', { name: 'Create a volume' }).first().click()
  await dialog(page).getByLabel('Name', { exact: false }).first().fill('kept')
  await confirm(page).click()
  await expect(page.getByRole('link', { name: 'kept', exact: true })).toBeVisible()
  docker(0, 'run', '--rm', '-v', 'kept:/data', 'busybox', 'sh', '-c', 'echo precious > /data/file')
  await menu(page, 'kept', 'Clone…')
  await confirm(page).click()
  await expect(page.getByRole('link', { name: 'kept-copy', exact: true })).toBeVisible({ timeout: 30_000 })
  await expect(page.locator('[data-operation-state=succeeded]')).toBeVisible({ timeout: 30_000 })
  expect(docker(0, 'run', '--rm', '-v', 'kept-copy:/data', 'busybox', 'cat', '/data/file')).toBe('precious')
  const download = page.waitForEvent('download')
  await menu(page, 'kept', 'Back up (download)')
  expect((await download).suggestedFilename()).toMatch(/kept.*\.tar\.gz$/)
  await menu(page, 'kept-copy', 'Remove…')
  await expect(confirm(page)).toHaveAttribute('aria-disabled', 'true')
  await dialog(page).getByRole('textbox').fill('kept-copy')
  await confirm(page).click()
  await expect.poll(() => docker(0, 'volume', 'ls', '-q')).not.toContain('kept-copy')
  tryDocker(0, 'volume', 'rm', 'kept')
})

test('makes a network, connects, shows who is in it, disconnects and removes it', async ({ page }) => {
  tryDocker(0, 'network', 'rm', 'private')
  runChatty(0, 'joiner')
  await page.goto(`/h/${host}/networks`)
  await page.getByRole('button', { name: 'Create a network' }).first().click()
  await dialog(page).getByLabel('Name', { exact: false }).first().fill('private')
  await confirm(page).click()
  await page.getByRole('link', { name: 'private', exact: true }).click()
  await page.getByRole('button', { name: 'Connect a container' }).click()
  await dialog(page).getByLabel('Container', { exact: false }).first().click()
  await page.getByRole('option', { name: /joiner/ }).click()
  await dialog(page).getByLabel('Further names').fill('friend')
  await confirm(page).click()
  await expect(page.getByRole('link', { name: 'joiner' })).toBeVisible()
  expect(docker(0, 'run', '--rm', '--network', 'private', 'busybox', 'sh', '-c', 'ping -c 1 -W 3 friend >/dev/null && echo found')).toBe(
    'found',
  )
  await page.getByRole('button', { name: 'Disconnect joiner' }).click()
  await confirm(page).click()
  await expect(page.getByText('No container is in this network.')).toBeVisible()
  await page.getByRole('button', { name: 'Remove…' }).click()
  await confirm(page).click()
  await expect(page).toHaveURL(/networks$/)
  expect(docker(0, 'network', 'ls', '--format', '{{.Name}}')).not.toContain('private')
  tryDocker(0, 'rm', '-f', 'joiner')
})

test('shows before what a clean-up removes, and removes just that', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'litter')
  tryDocker(0, 'run', '--name', 'litter', 'busybox', 'true')
  await page.goto(`/h/${host}?tab=disk`)
  await page.getByRole('button', { name: 'Clean up…' }).click()
  await expect(dialog(page).getByRole('list', { name: 'What would go' })).toContainText('litter')
  expect(docker(0, 'ps', '-aq', '-f', 'name=litter')).not.toBe('')
  await confirm(page).click()
  await expect.poll(() => docker(0, 'ps', '-aq', '-f', 'name=litter')).toBe('')
})

test('is used by keyboard alone', async ({ page }) => {
  runChatty(0, 'by-key')
  await page.goto('/h/all/containers')
  await expect(page.getByRole('link', { name: 'by-key', exact: true })).toBeVisible()
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.press('g')
  await page.keyboard.press('i')
  await expect(page).toHaveURL(/images$/)
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('combobox', { name: 'Find or do anything' }).or(page.getByPlaceholder(/A container, image/))).toBeFocused()
  await page.keyboard.type('stop by-key')
  await expect(page.getByRole('option', { name: /Stop by-key/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect.poll(() => state(0, 'by-key'), { timeout: 30_000 }).toBe('exited')
  await page.keyboard.press('Control+k')
  await page.keyboard.type(hostName)
  await page.keyboard.press('Escape')
  tryDocker(0, 'rm', '-f', 'by-key')
})

test('sees what happens elsewhere without asking again', async ({ page }) => {
  await page.goto('/h/all/containers')
  await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible()
  runChatty(0, 'just-born')
  await expect(page.getByRole('link', { name: 'just-born', exact: true })).toBeVisible()
  docker(0, 'rm', '-f', 'just-born')
  await expect(page.getByRole('link', { name: 'just-born', exact: true })).toBeHidden()
  await page.goto('/h/all/events')
  await expect(page.getByText('destroy').first()).toBeVisible()
})
