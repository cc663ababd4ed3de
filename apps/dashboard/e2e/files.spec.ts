import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { ask, docker, hostsOf, tryDocker } from './fleet.ts'

/** Whole directories into containers and volumes, with names that nobody would choose; what can be seen and stopped on the way; and the same by a command line. */
let host = ''
let box = ''
let directory = ''
/** As a shell's `find` prints them, sorted. */
const tree = ['-rf', '.hidden', 'deep/er/leaf', 'has space & more', 'new\\nline', '日本語 – ümlaut.txt']

test.beforeAll(async ({ browser }) => {
  const page = await browser.newPage()
  host = (await hostsOf(page)).first.id
  await page.close()
  directory = mkdtempSync(join(tmpdir(), 'berth-e2e-files-'))
  mkdirSync(join(directory, 'odd things/deep/er'), { recursive: true })
  for (const name of tree) writeFileSync(join(directory, 'odd things', name.replace('\\n', '\n')), `in ${name}`)
  docker(0, 'pull', 'busybox')
  tryDocker(0, 'rm', '-f', 'box')
  box = docker(0, 'run', '-d', '--name', 'box', '-v', 'odd-volume:/volume', 'busybox', 'sleep', '100000')
})
test.afterAll(() => {
  tryDocker(0, 'rm', '-fv', 'box')
  tryDocker(0, 'volume', 'rm', 'odd-volume')
  rmSync(directory, { recursive: true, force: true })
})

const inside = (script: string) => docker(0, 'exec', 'box', 'sh', '-c', script)
function expectTree(place: string): void {
  for (const name of tree) expect(inside(`cat "$(printf '${place}/odd things/${name}')"`)).toBe(`in ${name}`)
  expect(inside(`find '${place}/odd things' -type f | wc -l`)).toBe(`${tree.length + 1}`)
}
/** A directory dragged out of a file manager and let go over the page. */
async function drop(page: Page, path: string): Promise<void> {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  const input = await page.context().newCDPSession(page)
  const data = { items: [], files: [path], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await input.send('Input.dispatchDragEvent', { type, x: width / 2, y: height * 0.7, data })
  await input.detach()
}

test('takes a dropped directory into a container, whatever its files are called, and shows where one is in the address', async ({
  page,
}) => {
  await page.goto(`/h/${host}/containers/${box}?tab=files&path=/tmp`)
  await expect(page.getByRole('navigation', { name: 'Path' }).getByRole('button', { name: 'tmp' })).toHaveAttribute('aria-current', 'page')
  await drop(page, join(directory, 'odd things'))
  await expect(page.getByText(`${tree.length} files are there`)).toBeVisible()
  expectTree('/tmp')
  await page.getByRole('button', { name: 'odd things', exact: true }).click()
  await expect(page).toHaveURL(/path=\/tmp\/odd/)
  await expect(page.getByRole('button', { name: '日本語 – ümlaut.txt', exact: true })).toBeVisible()
  // Shown as what it is, not as a line break.
  await expect(page.getByRole('button', { name: 'new␊line', exact: true })).toBeVisible()
  await page.goBack()
  await expect(page.getByRole('button', { name: 'odd things', exact: true })).toBeVisible()
})

test('takes a chosen directory into a volume', async ({ page }) => {
  await page.goto(`/h/${host}/volumes/odd-volume`)
  await page.locator('input[webkitdirectory]').setInputFiles(join(directory, 'odd things'))
  await expect(page.getByText(`${tree.length} files are there`)).toBeVisible()
  expectTree('/volume')
})

test('says how far an upload has come, and stops it when asked to', async ({ page }) => {
  const big = join(directory, 'big.bin')
  writeFileSync(big, '')
  truncateSync(big, 24 * 1024 * 1024)
  await page.goto(`/h/${host}/containers/${box}?tab=files&path=/tmp`)
  await expect(page.getByRole('button', { name: 'odd things', exact: true })).toBeVisible()
  const network = await page.context().newCDPSession(page)
  await network.send('Network.enable')
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: 4 * 1024 * 1024,
  })
  await page.getByLabel('Upload', { exact: true }).setInputFiles(big)
  await expect(page.getByRole('status').filter({ hasText: /big\.bin.*[1-9]\d?\s?%/ })).toBeVisible()
  await page.getByRole('button', { name: 'Cancel the upload' }).click()
  await expect(page.getByRole('status').filter({ hasText: 'big.bin' })).toBeHidden()
  await expect(page.getByRole('button', { name: 'big.bin', exact: true })).toHaveCount(0)
  // Not half a file either, now or when what was under way has arrived.
  await expect.poll(() => inside('ls -A /tmp | grep -c big || true')).toBe('0')
})

test('stops the upload of a directory and says that what had arrived is there', async ({ page }) => {
  const folder = join(directory, 'half')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a-first.txt'), 'whole')
  writeFileSync(join(folder, 'z-last.bin'), '')
  truncateSync(join(folder, 'z-last.bin'), 24 * 1024 * 1024)
  await page.goto(`/h/${host}/containers/${box}?tab=files&path=/tmp`)
  await expect(page.getByRole('navigation', { name: 'Path' }).getByRole('button', { name: 'tmp' })).toHaveAttribute('aria-current', 'page')
  const network = await page.context().newCDPSession(page)
  await network.send('Network.enable')
  const uploadThroughput = 4 * 1024 * 1024
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput })
  await page.locator('input[webkitdirectory]').setInputFiles(folder)
  await expect(page.getByRole('status').filter({ hasText: /half.*[1-9]\d?\s?%/ })).toBeVisible()
  await expect.poll(() => inside('cat /tmp/half/a-first.txt 2>/dev/null || true')).toBe('whole')
  await page.getByRole('button', { name: 'Cancel the upload' }).click()
  await expect(page.getByText('The upload of half was stopped; what had arrived by then is there')).toBeVisible()
  await page.getByRole('button', { name: 'half', exact: true }).click()
  await expect(page.getByRole('button', { name: 'a-first.txt', exact: true })).toBeVisible()
})

test('shows a command line that does the same, which does it', async ({ page }) => {
  const { token } = await ask<{ token: string }>(page, 'tokens.create', {
    name: `files ${Date.now()}`,
    scope: '*',
    role: 'developer',
    days: 1,
  })
  await page.goto(`/h/${host}/containers/${box}?tab=files&path=/tmp`)
  await page.getByRole('button', { name: 'New directory', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill("it's made by curl")
  await dialog.getByText('The same on the command line').click()
  const command = (await dialog.getByText(/^curl/).textContent()) as string
  execFileSync('sh', ['-c', command], { env: { ...process.env, BERTH_TOKEN: token }, stdio: 'pipe' })
  expect(inside('test -d "/tmp/it\'s made by curl" && echo there')).toBe('there')
})
