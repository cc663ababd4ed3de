import { expect, type Page, test } from '@playwright/test'
import { treeFaults } from './accessibility-tree.ts'
import { darken, offences } from './axe.ts'
import { docker, hostsOf, runChatty, signInAs, tryDocker } from './fleet.ts'

/**
 * Every dialog, menu and panel: opened from the page as a person would, nothing serious by axe in both themes, left by Escape, and the focus is back where it came from. Every step is bounded, and one
 * that fails names its dialog and lets the others be looked at.
 */
const stepMs = 10_000
type Step = (page: Page) => Promise<void>
interface Surface {
  name: string
  /** From the page to the open surface. The first is what has the focus again afterwards. */
  steps: readonly Step[]
}

const button =
  (name: string | RegExp): Step =>
  (page) =>
    page
      .getByRole('button', { name, exact: typeof name === 'string' })
      .filter({ visible: true })
      .first()
      .click({ timeout: stepMs })
const entry =
  (name: string | RegExp): Step =>
  (page) =>
    page.getByRole('menuitem', { name }).first().click({ timeout: stepMs })
const tick =
  (name: string): Step =>
  (page) =>
    page.getByRole('checkbox', { name, exact: true }).first().click({ timeout: stepMs })

let host = ''
test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  docker(0, 'pull', 'busybox')
  runChatty(0, 'dialogued', '-v', 'dialogued-data:/data')
  tryDocker(0, 'volume', 'create', 'dialogued-free')
  tryDocker(0, 'network', 'create', 'dialogued-net')
  const { context } = await signInAs(browser, 'Dia', [{ scope: '*', role: 'viewer' }])
  await context.close()
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'dialogued')
  tryDocker(0, 'volume', 'rm', '-f', 'dialogued-data', 'dialogued-free')
  tryDocker(0, 'network', 'rm', 'dialogued-net')
})

const placesOf = (at: string): Record<string, readonly Surface[]> => ({
  '/hosts': [
    { name: 'host menu', steps: [button('Actions for second')] },
    { name: 'rename a host', steps: [button('Actions for second'), entry('Rename…')] },
    { name: 'address of a host', steps: [button('Actions for second'), entry('Change its address…')] },
    { name: 'revoke a host', steps: [button('Actions for second'), entry('Revoke its certificate…')] },
    { name: 'remove a host', steps: [button('Actions for second'), entry('Remove from the dashboard…')] },
    { name: 'host switcher', steps: [button(/^Host: /)] },
    { name: 'appearance', steps: [button('Appearance and language')] },
    { name: 'account menu', steps: [button('Account')] },
    { name: 'palette', steps: [button(/Find or do anything/)] },
    { name: 'keys', steps: [(page) => page.keyboard.press('?')] },
  ],
  [`${at}?tab=disk`]: [{ name: 'clean up', steps: [button('Clean up…')] }],
  [`${at}/images`]: [
    { name: 'columns', steps: [button('Columns')] },
    { name: 'pull', steps: [button('Pull an image')] },
    { name: 'build', steps: [button('More'), entry('Build…')] },
    { name: 'load', steps: [button('More'), entry('Load an archive…')] },
    { name: 'prune images', steps: [button('More'), entry('Clean up…')] },
    { name: 'tag', steps: [button('Actions for busybox:latest'), entry('Tag…')] },
    { name: 'push', steps: [button('Actions for busybox:latest'), entry('Push…')] },
    { name: 'remove an image', steps: [button('Actions for busybox:latest'), entry('Remove…')] },
  ],
  '/h/all/events': [{ name: 'facet', steps: [button('Kind')] }],
  [`${at}/volumes`]: [
    { name: 'create a volume', steps: [button('Create a volume')] },
    { name: 'prune volumes', steps: [button('Clean up…')] },
    { name: 'restore', steps: [button('Actions for dialogued-free'), entry('Restore…')] },
    { name: 'clone', steps: [button('Actions for dialogued-free'), entry('Clone…')] },
    { name: 'remove a volume', steps: [button('Actions for dialogued-free'), entry('Remove…')] },
    { name: 'remove several volumes', steps: [tick('dialogued-free'), button('Remove…')] },
  ],
  [`${at}/networks`]: [
    { name: 'create a network', steps: [button('Create a network')] },
    { name: 'prune networks', steps: [button('Clean up…')] },
    { name: 'remove a network', steps: [button('Remove dialogued-net')] },
  ],
  [`${at}/registries`]: [{ name: 'registry login', steps: [button('Add credentials')] }],
  '/people': [
    { name: 'invite', steps: [button('Invite somebody')] },
    { name: 'roles', steps: [button('What to do with Dia'), entry('Change roles')] },
    { name: 'new password', steps: [button('What to do with Dia'), entry('New password…')] },
    { name: 'end sessions', steps: [button('What to do with Dia'), entry('End all sessions')] },
    { name: 'disable', steps: [button('What to do with Dia'), entry('Disable')] },
    { name: 'remove a person', steps: [button('What to do with Dia'), entry('Remove')] },
  ],
  '/account': [
    { name: 'two-step', steps: [button('Turn on two-step sign-in')] },
    { name: 'new token', steps: [button('New API token')] },
  ],
  '/audit': [
    { name: 'export', steps: [button('Export')] },
    { name: 'days', steps: [button('Any time')] },
    { name: 'a line', steps: [(page) => page.getByRole('list', { name: 'Audit' }).getByRole('button').first().click({ timeout: stepMs })] },
  ],
  [`${at}/containers`]: [
    { name: 'rename a container', steps: [button('Actions for dialogued'), entry('Rename…')] },
    { name: 'signal', steps: [button('Actions for dialogued'), entry('Send a signal…')] },
    { name: 'make an image', steps: [button('Actions for dialogued'), entry('Make an image…')] },
    { name: 'recreate', steps: [button('Actions for dialogued'), entry('Recreate…')] },
    { name: 'remove a container', steps: [button('Actions for dialogued'), entry('Remove…')] },
  ],
  [`${at}/containers/new`]: [{ name: 'paste a line', steps: [button('Paste a docker run line')] }],
})

for (const part of [0, 1, 2] as const) {
  test(`every dialog and menu is accessible and gives the focus back (${part + 1} of 3)`, async ({ browser }) => {
    test.setTimeout(240_000)
    const context = await browser.newContext({ colorScheme: 'light', reducedMotion: 'reduce' })
    const page = await context.newPage()
    page.setDefaultTimeout(stepMs)
    const wrong: string[] = []
    for (const [path, surfaces] of Object.entries(placesOf(`/h/${host}`)).filter((_, index) => index % 3 === part)) {
      await page.goto(path)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      for (const surface of surfaces) {
        try {
          for (const offence of await look(page, surface)) wrong.push(`${path} ${surface.name}: ${offence}`)
        } catch (error) {
          wrong.push(`${path} ${surface.name}: ${String(error).split('\n')[0]}`)
          await page.goto(path)
        }
      }
    }
    await context.close()
    expect(wrong).toEqual([])
  })
}

const surfaceOf = (page: Page) => page.getByRole('dialog').or(page.getByRole('menu')).last()

/** Opens, looks, leaves. */
async function look(page: Page, surface: Surface): Promise<string[]> {
  const wrong: string[] = []
  for (const step of surface.steps) await step(page)
  await expect(surfaceOf(page)).toBeVisible({ timeout: stepMs })
  await expect(page.locator('[role=dialog] .breathing')).toHaveCount(0, { timeout: stepMs })
  // What lies behind a dialog is not for anybody while it is open.
  const inside = (await page.getByRole('dialog').count()) > 0 ? '[role=dialog]' : '[role=menu]'
  wrong.push(...(await offences(page, { inside })), ...(await treeFaults(page, { whole: false })))
  await darken(page)
  for (const offence of await offences(page, { inside, only: ['color-contrast'] })) wrong.push(`dark: ${offence}`)
  await darken(page, false)
  const focusInside = await page.evaluate((selector) => document.activeElement?.closest(selector) !== null, inside)
  if (!focusInside) wrong.push('the focus is not inside')
  await page.keyboard.press('Escape')
  await expect(surfaceOf(page)).toBeHidden({ timeout: stepMs })
  const lost = await expect
    .poll(() => page.evaluate(() => document.activeElement === null || document.activeElement === document.body), { timeout: 2000 })
    .toBe(false)
    .then(
      () => false,
      () => true,
    )
  if (lost && surface.name !== 'keys') wrong.push('the focus is lost after Escape')
  return wrong
}

test('the palette keeps what is typed before it has been fetched, and gives the focus back', async ({ page }) => {
  await page.goto('/h/all/containers')
  await expect(page.getByRole('heading', { name: 'Containers' })).toBeVisible()
  const filter = page.getByRole('main').getByRole('searchbox').or(page.getByRole('main').getByRole('textbox')).first()
  await filter.focus()
  let release = () => undefined as unknown
  const held = new Promise((resolve) => {
    release = () => resolve(undefined)
  })
  await page.route('**/_next/static/chunks/**', (route) => held.then(() => route.continue()))
  await page.keyboard.press('Control+k')
  await page.keyboard.type('audiy')
  await page.keyboard.press('Backspace')
  await page.keyboard.type('t')
  await expect(page.getByRole('status').filter({ hasText: 'audit' })).toBeVisible()
  await expect(filter).toHaveValue('')
  release()
  const field = page.getByPlaceholder(/A container, image/)
  await expect(field).toBeFocused()
  await expect(field).toHaveValue('audit')
  await page.keyboard.press('Escape')
  await expect(filter).toBeFocused()
  await page.keyboard.press('Control+k')
  await expect(field).toHaveValue('')
  await page.keyboard.type('audit')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/audit/)
})
