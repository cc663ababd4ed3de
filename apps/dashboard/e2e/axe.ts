import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'

/** What axe calls serious or critical, in words. `only`: these rules alone; `inside`: that part of the page alone. */
export async function offences(page: Page, { only, inside }: { only?: string[]; inside?: string } = {}): Promise<string[]> {
  let builder = new AxeBuilder({ page })
  if (inside) builder = builder.include(inside)
  builder = only ? builder.withRules(only) : builder.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
  const { violations } = await builder.analyze()
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} — ${node.failureSummary?.split('\n')[1]?.trim()}`),
    )
}

/** The dark theme, once its colours have arrived: what is on its way has no contrast of its own yet. */
export async function darken(page: Page, dark = true): Promise<void> {
  await page.evaluate(
    (theme) => {
      document.documentElement.dataset.theme = theme
      const finite = document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
      return Promise.allSettled(finite.map((animation) => animation.finished)).then(() => undefined)
    },
    dark ? 'dark' : 'light',
  )
}
