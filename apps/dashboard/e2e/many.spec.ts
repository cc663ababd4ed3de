import { Agent, request } from 'node:http'
import { expect, test } from '@playwright/test'
import { readEnvironment } from './environment-file.ts'
import { hostsOf } from './fleet.ts'

/** A host with far more of something than fits on a screen. Ten thousand containers are scrolled through in `npm run bench`, over simulated agents; these are real. */
const many = 2000
const nameOf = (index: number) => `many-${`${index}`.padStart(4, '0')}`
let host = ''

/** The same to each of them, by the second agent's Engine API, eight at a time. */
async function toEach(method: 'POST' | 'DELETE'): Promise<void> {
  const socketPath = `${readEnvironment().agents[1]?.env.BERTH_RUN}/docker.sock`
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const ask = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const path = method === 'POST' ? '/volumes/create' : `/volumes/${nameOf(index)}`
      const asked = request({ socketPath, agent, method, path, headers: { 'content-type': 'application/json' } }, (answer) => {
        answer.resume().once('end', resolve)
      })
      asked
        .once('error', reject)
        .end(method === 'POST' ? JSON.stringify({ Name: nameOf(index), Labels: { tens: `${index % 10}` } }) : undefined)
    })
  await Promise.all(Array.from({ length: many }, (_, index) => ask(index)))
  agent.destroy()
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000)
  const page = await browser.newPage()
  host = (await hostsOf(page)).second.id
  await page.close()
  await toEach('POST')
})
test.afterAll(async () => {
  test.setTimeout(180_000)
  await toEach('DELETE')
})

test('draws only the rows that are in view of two thousand, finds one by typing, and remembers the columns', async ({ page }) => {
  await page.goto(`/h/${host}/volumes`)
  const table = page.getByRole('table')
  const rows = table.locator('[data-row]')
  await expect(table.getByRole('link', { name: nameOf(0) })).toBeVisible()
  expect(await rows.count()).toBeLessThan(100)
  await expect.poll(async () => Number(await table.getAttribute('aria-rowcount'))).toBeGreaterThan(many)
  await table.hover()
  await page.mouse.wheel(0, 1_000_000)
  await expect(table.getByRole('link', { name: nameOf(many - 1) })).toBeVisible()
  expect(await rows.count()).toBeLessThan(100)
  await page.keyboard.press('/')
  await page.keyboard.type('tens=7 many-123')
  await expect(rows).toHaveCount(1)
  await expect(rows).toContainText(nameOf(1237))
  await expect(page).toHaveURL(/q=tens/)
  await page.getByRole('button', { name: 'Clear filter' }).click()
  await page.getByRole('checkbox', { name: 'Select all that are shown' }).click()
  await expect(page.getByRole('toolbar', { name: 'Actions on the selection' })).toContainText(new RegExp(`${many}|2,000`))
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Where it is' }).click()
  await page.keyboard.press('Escape')
  await page.reload()
  await expect(table.getByRole('columnheader', { name: 'Where it is' })).toBeVisible()
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Where it is' }).click()
})
