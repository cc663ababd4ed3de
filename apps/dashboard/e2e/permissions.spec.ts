import { expect, type Page, test } from '@playwright/test'
import { docker, hostsOf, runChatty, signInAs, tryDocker } from './fleet.ts'

/** What each role sees: nothing disappears, what may not be used is disabled and says which permission is missing, and a typed address says so in words. */
let host = ''
let second = ''
let container = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  const hosts = await hostsOf(page)
  host = hosts.first.id
  second = hosts.second.id
  await page.close()
  container = runChatty(0, 'guarded')
  docker(1, 'pull', 'busybox')
  runChatty(1, 'guarded-far')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-f', 'guarded')
  tryDocker(1, 'rm', '-f', 'guarded-far')
})

const missing = (permission: string) => new RegExp(`You need the permission “${permission}”`)

/** The control is there, cannot be used, and says why when it has the focus. */
async function refuses(page: Page, name: string | RegExp, why: RegExp): Promise<void> {
  const button = page
    .locator('main')
    .getByRole('button', { name, exact: typeof name === 'string' })
    .first()
  await expect(button, String(name)).toHaveAttribute('aria-disabled', 'true')
  // By the keyboard: a button that is disabled must still be reachable, or nobody can read the reason.
  await page.keyboard.press('Shift')
  await button.focus()
  await expect(page.getByRole('tooltip'), String(name)).toHaveText(why)
  await page.keyboard.press('Escape')
}
const usable = (page: Page, name: string) =>
  expect(page.locator('main').getByRole('button', { name, exact: true }).first(), name).not.toHaveAttribute('aria-disabled', 'true')

/** The entries of the menu that a button opens: their words, and whether they can be used. */
async function entriesOf(page: Page, button: string): Promise<Map<string, { off: boolean; text: string }>> {
  await page.getByRole('button', { name: button, exact: true }).first().click()
  const items = page.getByRole('menuitem')
  await expect(items.first()).toBeVisible()
  const found = await items.evaluateAll((list) =>
    list.map((item) => ({ text: item.textContent ?? '', off: item.hasAttribute('data-disabled') })),
  )
  await page.keyboard.press('Escape')
  await expect(items.first()).toBeHidden()
  return new Map(found.map((item) => [item.text.split(/You need|Only /)[0] as string, item]))
}

test('a viewer looks at everything and changes nothing', async ({ browser }) => {
  const { context, page } = await signInAs(browser, 'Vera', [{ scope: '*', role: 'viewer' }])
  await page.goto('/hosts')
  await expect(page.getByText('second').first()).toBeVisible()
  await refuses(page, 'Add a host', /Only an Admin on all hosts/)
  expect((await entriesOf(page, 'Actions for second')).get('Rename…')).toMatchObject({ off: true })
  for (const [path, name, permission] of [
    [`/h/${host}/containers`, 'Run a container', 'create and remove'],
    [`/h/${host}/images`, 'Pull an image', 'operate'],
    [`/h/${host}/volumes`, 'Create a volume', 'create and remove'],
    [`/h/${host}/networks`, 'Create a network', 'create and remove'],
    [`/h/${host}/registries`, 'Add credentials', 'configure'],
    [`/h/${host}?tab=disk`, 'Clean up…', 'create and remove'],
    [`/h/${host}`, 'Host console', 'host console'],
  ] as const) {
    await page.goto(path)
    await refuses(page, name, missing(permission))
  }
  await page.goto(`/h/${host}/images`)
  const more = await entriesOf(page, 'More')
  expect(more.get('Build…')).toMatchObject({ off: true, text: expect.stringMatching(missing('build')) })
  await page.goto(`/h/${host}/containers/${container}`)
  await expect(page.getByRole('heading', { name: 'guarded' })).toBeVisible()
  await refuses(page, 'Stop', missing('operate'))
  expect((await entriesOf(page, 'Actions for guarded')).get('Remove…')).toMatchObject({ off: true })
  // Only an administrator may see these pages; they say so instead of being empty.
  for (const path of ['/people', '/audit']) {
    await page.goto(path)
    await expect(page.locator('main').getByRole('alert').first()).toContainText(/Admin/)
  }
  await page.goto('/hosts/add')
  await refuses(page, 'Make the command', /Only/)
  // The palette finds, but does not do.
  await page.goto('/hosts')
  await expect(page.getByText('second').first()).toBeVisible()
  await page.keyboard.press('Control+k')
  await expect(page.getByPlaceholder(/A container, image/)).toBeFocused()
  await page.keyboard.type('stop guarded-far')
  const entry = page.getByRole('option', { name: /Stop guarded-far/ })
  await expect(entry).toHaveAttribute('aria-disabled', 'true')
  await expect(entry).toHaveText(missing('operate'))
  await context.close()
})

test('an operator operates, but opens no shell and no files', async ({ browser }) => {
  const { context, page } = await signInAs(browser, 'Otto', [{ scope: '*', role: 'operator' }])
  await page.goto(`/h/${host}/containers/${container}`)
  await usable(page, 'Stop')
  await page.goto(`/h/${host}/containers/${container}?tab=terminal`)
  await refuses(page, /^Open/, missing('shell'))
  await page.goto(`/h/${host}/images`)
  await usable(page, 'Pull an image')
  expect((await entriesOf(page, 'More')).get('Build…')).toMatchObject({ off: false })
  await page.goto(`/h/${host}/registries`)
  await usable(page, 'Add credentials')
  await page.goto(`/h/${host}`)
  await refuses(page, 'Host console', missing('host console'))
  // What the page refuses, the wire refuses too.
  const answer = await page.request.get(
    `/api/hosts/${host}/data/files/content?${new URLSearchParams({ container, path: '/etc/passwd' }).toString()}`,
  )
  expect(answer.status()).toBe(403)
  await context.close()
})

test('a developer on one host sees that host alone', async ({ browser }) => {
  const { context, page } = await signInAs(browser, 'Dora', [{ scope: second, role: 'developer' }])
  await page.goto('/hosts')
  await expect(page.getByRole('link', { name: 'second', exact: true })).toBeVisible()
  await expect(
    page
      .locator('main')
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading') }),
  ).toHaveCount(1)
  await page.goto('/h/all/containers')
  await expect(page.getByRole('link', { name: 'guarded-far', exact: true })).toBeVisible()
  await expect(page.getByRole('link', { name: 'guarded', exact: true })).toHaveCount(0)
  await usable(page, 'Run a container')
  // By address: no page of the other host, and nothing of it on the wire.
  await page.goto(`/h/${host}`)
  await expect(page.getByText('There is no such host, or you may not see it.')).toBeVisible()
  await page.goto(`/h/${host}/containers/${container}`)
  await expect(page.getByText('There is no such host, or you may not see it.')).toBeVisible()
  await expect(page.getByText('request 1 served')).toHaveCount(0)
  await context.close()
})

test('a role that is taken away holds at once in the open page', async ({ browser, page: admin }) => {
  const { context, page, email } = await signInAs(browser, 'Rolf', [{ scope: '*', role: 'operator' }])
  await page.goto(`/h/${host}/containers/${container}`)
  await usable(page, 'Stop')
  await admin.goto('/people?q=rolf')
  await admin.getByRole('button', { name: 'What to do with Rolf' }).click()
  await admin.getByRole('menuitem', { name: 'Change roles' }).click()
  await admin.getByRole('dialog').getByRole('combobox', { name: 'Role' }).click()
  await admin.getByRole('option', { name: /Viewer/ }).click()
  await admin.getByRole('button', { name: 'Save' }).click()
  await refuses(page, 'Stop', missing('operate'))
  // And the person: an open page goes to the sign-in.
  await admin.getByRole('button', { name: 'What to do with Rolf' }).click()
  await admin.getByRole('menuitem', { name: 'Remove' }).click()
  await admin.getByRole('dialog').getByRole('textbox').fill(email)
  await admin.getByTestId('confirm').click()
  await expect(page).toHaveURL(/\/sign-in/)
  await context.close()
})
