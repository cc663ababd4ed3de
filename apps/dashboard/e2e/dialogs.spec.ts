import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { screenshotDirectory } from './environment-file.ts'
import { hostsOf, runChatty, tryDocker } from './fleet.ts'

/** Every dialog, panel and menu with nothing serious in axe, in both themes. */
let h = ''
let container = ''

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  h = `/h/${(await hostsOf(page)).first.id}`
  await page.close()
  container = `${h}/containers/${runChatty(0, 'dialogued')}`
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-fv', 'dialogued')
})

async function offences(page: Page, theme: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze()
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap((violation) => violation.nodes.map((node) => `${theme}: ${violation.id}: ${node.target.join(' ')}`))
}

const press = (name: string) => async (page: Page) => {
  await page.getByRole('button', { name, exact: true }).first().click()
}
const act = (entry: string) => async (page: Page) => {
  await press('Actions for dialogued')(page)
  await page.getByRole('menuitem', { name: entry }).click()
}
const more = (entry: string) => async (page: Page) => {
  await press('More')(page)
  await page.getByRole('menuitem', { name: entry }).click()
}

const dialogs: { name: string; path: () => string; open: (page: Page) => Promise<void>; role?: 'menu' | 'log' | 'group' }[] = [
  { name: 'actions', path: () => container, open: press('Actions for dialogued'), role: 'menu' },
  { name: 'remove', path: () => container, open: act('Remove…') },
  { name: 'signal', path: () => container, open: act('Send a signal…') },
  { name: 'rename', path: () => container, open: act('Rename…') },
  { name: 'recreate', path: () => container, open: act('Recreate…') },
  { name: 'commit', path: () => container, open: act('Make an image…') },
  { name: 'dock-logs', path: () => container, open: press('Logs'), role: 'log' },
  { name: 'dock-terminal', path: () => container, open: press('Terminal'), role: 'group' },
  { name: 'paste', path: () => `${h}/containers/new`, open: press('Paste a docker run line') },
  { name: 'pull', path: () => `${h}/images`, open: press('Pull an image') },
  { name: 'build', path: () => `${h}/images`, open: more('Build…') },
  { name: 'load', path: () => `${h}/images`, open: more('Load an archive…') },
  { name: 'prune-images', path: () => `${h}/images`, open: more('Clean up…') },
  { name: 'create-volume', path: () => `${h}/volumes`, open: press('Create a volume') },
  { name: 'prune-volumes', path: () => `${h}/volumes`, open: press('Clean up…') },
  { name: 'create-network', path: () => `${h}/networks`, open: press('Create a network') },
  { name: 'login', path: () => `${h}/registries`, open: press('Add credentials') },
  { name: 'clean-up', path: () => `${h}?tab=disk`, open: press('Clean up…') },
  { name: 'palette', path: () => `${h}/containers`, open: (page) => page.keyboard.press('Control+k') },
  { name: 'keys', path: () => `${h}/containers`, open: (page) => page.keyboard.press('?') },
]

for (const theme of ['light', 'dark'] as const) {
  test(`every dialog is accessible (${theme})`, async ({ browser }) => {
    test.setTimeout(240_000)
    const context = await browser.newContext({ colorScheme: theme })
    const page = await context.newPage()
    const wrong: string[] = []
    for (const one of dialogs) {
      await page.goto(one.path())
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
      await one.open(page)
      await expect(page.getByRole(one.role ?? 'dialog').last()).toBeVisible()
      await page.waitForTimeout(300)
      for (const offence of await offences(page, theme)) wrong.push(`${one.name}: ${offence}`)
      await page.screenshot({ path: join(screenshotDirectory, `dialog-${one.name}-${theme}.png`) })
    }
    await context.close()
    expect(wrong).toEqual([])
  })
}
