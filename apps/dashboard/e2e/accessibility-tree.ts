import type { Page } from '@playwright/test'

/** What Chromium tells of a node to a screen reader, as far as it is looked at here. */
interface AxNode {
  nodeId: string
  ignored: boolean
  role?: { value: string }
  name?: { value: string }
  properties?: { name: string; value: { value: unknown } }[]
  childIds?: string[]
}

/** Roles that are nothing to a listener without a name. */
const named = new Set(
  'alertdialog button checkbox combobox dialog image img link listbox menu menuitem menuitemcheckbox menuitemradio meter navigation option progressbar radio region searchbox slider spinbutton switch tab table tablist tabpanel textbox toolbar tree'.split(
    ' ',
  ),
)

/**
 * What is wrong with the page for somebody who hears it: Chromium's accessibility tree, which is what a screen reader is given. Controls, pictures and landmarks without a name; headings out of order;
 * tables whose rows have no place. `whole`: also what every page as a whole must have (not so while a dialog hides the rest of it).
 */
export async function treeFaults(page: Page, { whole }: { whole: boolean }): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] }
  await session.detach()
  const spoken = inOrder(nodes)
  const faults = spoken
    .filter(({ role, name }) => named.has(role?.value ?? '') && !name?.value.trim())
    .map(({ role, nodeId }) => `a ${role?.value} without a name (${around(nodes, nodeId)})`)
  if (whole) {
    for (const landmark of ['main', 'banner', 'navigation']) {
      const count = spoken.filter(({ role, name }) => role?.value === landmark && name?.value !== 'Path').length
      if (count !== 1) faults.push(`${count} landmarks ${landmark}`)
    }
    faults.push(...headingFaults(spoken))
    if (!/\S · Berth$/.test(await page.title())) faults.push(`the title is "${await page.title()}"`)
  }
  return [...faults, ...(await page.evaluate(rowFaults))]
}

/** The nodes that are told, in the order in which they are. */
function inOrder(nodes: readonly AxNode[]): AxNode[] {
  const byId = new Map(nodes.map((node) => [node.nodeId, node]))
  const visit = (node: AxNode | undefined): AxNode[] =>
    node ? [...(node.ignored ? [] : [node]), ...(node.childIds ?? []).flatMap((id) => visit(byId.get(id)))] : []
  return visit(nodes[0])
}

/** Names of what is around a node, to find it by. */
function around(nodes: readonly AxNode[], id: string): string {
  const parent = nodes.find((node) => node.childIds?.includes(id))
  if (!parent) return 'nowhere'
  return parent.name?.value || around(nodes, parent.nodeId)
}

function headingFaults(spoken: readonly AxNode[]): string[] {
  const headings = spoken
    .filter(({ role }) => role?.value === 'heading')
    .map(({ name, properties }) => ({
      words: name?.value ?? '',
      level: Number(properties?.find((one) => one.name === 'level')?.value.value ?? 0),
    }))
  const faults = headings.filter(({ words }) => !words.trim()).map(({ level }) => `a heading of level ${level} without words`)
  const first = headings.filter(({ level }) => level === 1)
  if (first.length !== 1 || headings[0]?.level !== 1)
    faults.push(`the first heading is not the only one of level 1: ${JSON.stringify(headings)}`)
  headings.forEach(({ words, level }, at) => {
    const before = headings[at - 1]
    if (before && level > before.level + 1) faults.push(`"${words}" of level ${level} after "${before.words}" of level ${before.level}`)
  })
  return faults
}

/** In the page: long tables hold only the rows in view, so each row says which it is; and a button in a row says what it is for. */
function rowFaults(): string[] {
  const faults: string[] = []
  for (const table of document.querySelectorAll('table[aria-rowcount]')) {
    const label = table.getAttribute('aria-label')
    const count = Number(table.getAttribute('aria-rowcount'))
    const places = [...table.querySelectorAll('tr[aria-rowindex]')].map((row) => Number(row.getAttribute('aria-rowindex')))
    if (places.some((place, at) => place > count || place <= (places[at - 1] ?? 0))) faults.push(`${label}: rows ${places} of ${count}`)
    const untold = [...table.querySelectorAll('tbody tr:not([aria-rowindex]):not([aria-hidden])')]
    if (untold.length > 0) faults.push(`${label}: ${untold.length} rows without a place`)
    // Of two hosts there may be two rows of one name.
    const rowOf = new Map<string, string>()
    for (const button of table.querySelectorAll('tbody button[aria-label]')) {
      const name = button.getAttribute('aria-label') as string
      const row = button.closest('tr')?.querySelector('[data-row-link]')?.textContent ?? ''
      if ((rowOf.get(name) ?? row) !== row) faults.push(`${label}: a button of ${row} is called "${name}", as one of ${rowOf.get(name)}`)
      rowOf.set(name, row)
    }
  }
  return faults
}
