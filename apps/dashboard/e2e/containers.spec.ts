import { expect, type Page, test } from '@playwright/test'
import { darken, offences } from './axe.ts'
import { ask, docker, hostsOf, runChatty, tryDocker } from './fleet.ts'

/** A container's dialogs, menus and panels: for everybody (axe, keyboard, focus), and for those who may not. */
let host = ''
let box = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  box = runChatty(0, 'careful', '-m', '64m', '-e', 'API_TOKEN=hunter2', '-p', '127.0.0.1::80', '-v', '/etc/hostname:/etc/outside:ro')
  tryDocker(0, 'rm', '-f', 'nowhere')
  tryDocker(0, 'run', '--name', 'nowhere', 'busybox', '/no/such/program')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-fv', 'careful', 'careful-copy', 'nowhere', 'many-options')
})

/** What axe finds inside that part of the page, as it is in the light and (colours alone) in the dark. */
async function offencesIn(page: Page, inside: string): Promise<string[]> {
  await darken(page, false)
  const light = await offences(page, { inside })
  await darken(page)
  const dark = await offences(page, { inside, only: ['color-contrast'] })
  return [...light, ...dark.map((words) => `dark: ${words}`)].map((words) => `${inside}: ${words}`)
}

test('has accessible dialogs and menus that give the focus back, by keyboard alone', async ({ page }) => {
  test.setTimeout(180_000)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const wrong: string[] = []
  await page.goto(`/h/${host}/containers/${box}`)
  const actions = page.getByRole('button', { name: 'Actions for careful' })
  await actions.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('menu')).toBeVisible()
  wrong.push(...(await offencesIn(page, '[role=menu]')))
  await page.keyboard.press('Escape')
  for (const entry of ['Send a signal…', 'Rename…', 'Recreate…', 'Make an image…', 'Remove…']) {
    // By keyboard alone: Enter opens the menu, typing finds the entry.
    await actions.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('menuitem', { name: entry }).focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await expect(dialog, entry).toBeVisible()
    await expect.poll(() => dialog.evaluate((element) => element.contains(document.activeElement)), entry).toBe(true)
    wrong.push(...(await offencesIn(page, '[role=dialog]')).map((words) => `${entry}: ${words}`))
    await page.keyboard.press('Escape')
    await expect(dialog).toBeHidden()
    await expect(actions, `${entry} gives the focus back`).toBeFocused()
  }
  expect(wrong).toEqual([])
})

test('has an accessible form with every section open, and panels', async ({ page }) => {
  test.setTimeout(180_000)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const wrong: string[] = []
  await page.goto(`/h/${host}/containers/new`)
  await page.getByRole('button', { name: 'Publish a port' }).click()
  await page.getByRole('button', { name: 'Add a mount' }).click()
  const sections = page.locator('form details > summary')
  for (const section of await sections.all()) await section.click()
  await expect(page.getByLabel('Annotations')).toBeVisible()
  wrong.push(...(await offencesIn(page, 'form')))
  await page.getByRole('button', { name: 'Paste a docker run line' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  wrong.push(...(await offencesIn(page, '[role=dialog]')))
  await page.goto(`/h/${host}/containers/${box}?tab=logs`)
  await page.getByRole('button', { name: 'Merge with' }).click()
  wrong.push(...(await offencesIn(page, '[role=dialog]')))
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Terminal', exact: true }).click()
  const panel = page.getByRole('region', { name: 'Open terminals and logs' })
  await expect(panel.locator('.xterm-rows')).toContainText('#')
  wrong.push(...(await offencesIn(page, 'section[aria-label="Open terminals and logs"]')))
  expect(wrong).toEqual([])
})

test('keeps every option from a pasted line to the container, and to its duplicate', async ({ page }) => {
  tryDocker(0, 'rm', '-f', 'many-options', 'many-options-copy')
  await page.goto(`/h/${host}/containers/new`)
  await page.getByRole('button', { name: 'Paste a docker run line' }).click()
  const line = `docker run -d --name many-options --init -m 96m --cpus .5 --pids-limit 50 --cap-drop NET_RAW --ulimit nofile=100:200 -e "TEXT=two words" --label team=a --tmpfs /scratch:size=4m --restart on-failure:3 --stop-timeout 1 --health-cmd 'test -e / || exit 1' --health-interval 30s --add-host db:10.0.0.5 --shm-size 32m --read-only busybox sh -c 'trap "exit 0" TERM; while true; do sleep 1; done'`
  await page.getByRole('dialog').getByRole('textbox').fill(line)
  await page.getByRole('dialog').getByRole('button', { name: /fill/i }).click()
  await page.getByTestId('create').click()
  await expect(page.getByRole('heading', { name: 'many-options' })).toBeVisible()
  const asked = (name: string) => {
    const [detail] = JSON.parse(docker(0, 'inspect', name)) as { Config: Record<string, unknown>; HostConfig: Record<string, unknown> }[]
    const { Hostname: _, ...config } = detail?.Config ?? {}
    return { config, host: detail?.HostConfig }
  }
  const original = asked('many-options')
  expect(original.host).toMatchObject({ Memory: 96 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 50, ReadonlyRootfs: true, Init: true })
  expect(original.config).toMatchObject({ Env: expect.arrayContaining(['TEXT=two words']), Labels: { team: 'a' } })
  await page.goto(`/h/${host}/containers/new?from=${docker(0, 'inspect', '-f', '{{.Id}}', 'many-options')}`)
  await page.getByTestId('create').click()
  await expect(page.getByRole('heading', { name: 'many-options-copy' })).toBeVisible()
  expect(asked('many-options-copy')).toEqual(original)
  tryDocker(0, 'rm', '-f', 'many-options', 'many-options-copy')
})

test('says beside the field what the engine refuses', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${box}`)
  const card = page.getByRole('heading', { name: 'Limits' }).locator('xpath=ancestor::section')
  await card.getByRole('textbox', { name: 'Which CPUs' }).fill('97')
  await card.getByRole('button', { name: 'Apply now' }).click()
  await expect(card.getByRole('alert')).toContainText('Requested CPUs are not available')
  await expect(card.getByRole('textbox', { name: 'Which CPUs' })).toHaveAttribute('aria-invalid', 'true')
  await page.goto(`/h/${host}/containers/new?image=busybox`)
  await page.getByLabel('Name', { exact: false }).first().fill('careful')
  await page.getByTestId('create').click()
  await expect(
    page
      .getByRole('alert')
      .filter({ hasText: /in use/ })
      .first(),
  ).toBeVisible()
})

test('says why a container could not start, and covers what looks secret', async ({ page }) => {
  await page.goto(`/h/${host}/containers/${docker(0, 'inspect', '-f', '{{.Id}}', 'nowhere')}`)
  await expect(page.getByTestId('death')).toContainText('It could not be started.')
  await expect(page.getByTestId('death')).toContainText('/no/such/program')
  await page.goto(`/h/${host}/containers/${box}`)
  const variables = page.getByRole('region', { name: 'Environment' })
  await expect(variables).toContainText('API_TOKEN=••••••')
  await page.getByRole('button', { name: 'Show secrets' }).click()
  await expect(variables).toContainText('API_TOKEN=hunter2')
})

test('uploads a directory and reaches files with hostile names', async ({ page }) => {
  docker(
    0,
    'exec',
    'careful',
    'sh',
    '-c',
    'mkdir -p /tmp/odd && cd /tmp/odd && touch -- -rf "a b#c?d=e&f" "%2e%2e" "<b>x" && ln -s ../../../../../../etc/shadow way-out',
  )
  await page.goto(`/h/${host}/containers/${box}?tab=files`)
  await page.getByRole('button', { name: 'tmp', exact: true }).click()
  await page.getByRole('button', { name: 'odd', exact: true }).click()
  await page.getByLabel('Upload', { exact: true }).setInputFiles([
    { name: 'one.txt', mimeType: 'text/plain', buffer: Buffer.from('1') },
    { name: 'two.txt', mimeType: 'text/plain', buffer: Buffer.from('22') },
  ])
  await expect(page.getByText('2 files are there')).toBeVisible()
  expect(docker(0, 'exec', 'careful', 'cat', '/tmp/odd/two.txt')).toBe('22')
  for (const name of ['-rf', 'a b#c?d=e&f', '%2e%2e', '<b>x']) {
    await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click()
    await page.getByRole('menuitem', { name: 'Remove', exact: true }).click()
    await page.getByTestId('confirm').click()
    await expect(page.getByRole('button', { name, exact: true })).toBeHidden()
  }
  expect(docker(0, 'exec', 'careful', 'ls', '/tmp/odd').split('\n').sort()).toEqual(['one.txt', 'two.txt', 'way-out'])
  expect(docker(0, 'exec', 'careful', 'test', '-d', '/tmp')).toBe('')
})

test('tells a viewer which permission is missing', async ({ page, browser }) => {
  const email = `viewer-${Date.now()}@example.org`
  const password = 'correct horse battery staple'
  const { url } = await ask<{ url: string }>(page, 'invitations.create', { email, grants: [{ scope: '*', role: 'viewer' }] })
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } })
  const viewer = await context.newPage()
  await viewer.goto(new URL(url).pathname)
  await viewer.getByLabel('Your name').fill('Vi Ewer')
  await viewer.getByLabel('Password', { exact: false }).first().fill(password)
  await viewer.getByLabel('Password again').fill(password)
  await viewer.getByRole('button', { name: 'Make the account' }).click()
  await expect(viewer).toHaveURL(/sign-in/)
  await viewer.getByLabel('E-mail address').fill(email)
  await viewer.getByLabel('Password', { exact: false }).first().fill(password)
  await viewer.getByRole('button', { name: 'Sign in' }).click()
  await expect(viewer).toHaveURL(/hosts/)
  await viewer.goto(`/h/${host}/containers/${box}`)
  const stop = viewer.getByRole('button', { name: 'Stop', exact: true })
  await expect(stop).toHaveAttribute('aria-disabled', 'true')
  await stop.focus()
  await stop.hover()
  await expect(viewer.getByText(/permission/i).first()).toBeVisible()
  await stop.click({ force: true })
  await viewer.getByRole('button', { name: 'Actions for careful' }).click()
  await expect(viewer.getByRole('menuitem', { name: 'Remove…' })).toHaveAttribute('aria-disabled', 'true')
  await viewer.keyboard.press('Escape')
  await viewer.getByRole('tab', { name: 'Files' }).click()
  await expect(viewer.getByRole('tabpanel').getByText(/permission/i)).toBeVisible()
  await viewer.getByRole('tab', { name: 'Terminal' }).click()
  await expect(viewer.getByRole('button', { name: 'Open a terminal' })).toHaveAttribute('aria-disabled', 'true')
  await context.close()
  expect(docker(0, 'inspect', '-f', '{{.State.Status}}', 'careful')).toBe('running')
})
