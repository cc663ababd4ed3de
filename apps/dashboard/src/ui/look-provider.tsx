'use client'
import { ThemeProvider } from 'next-themes'
import { type ReactNode, useEffect } from 'react'
import { loadSentences } from '../i18n/use-sentences'
import { Toaster } from './toaster'
import { TooltipRoot } from './tooltip'

/**
 * Theme, tooltips and messages for every page. `nonce` lets the small script run that sets the theme before the first paint. The Chinese font, a
 * hundred files of which a page loads the few it needs, comes at once where Chinese is the language and when the page is idle elsewhere.
 */
export function LookProvider({ nonce, chinese, children }: { nonce: string | undefined; chinese: boolean; children: ReactNode }) {
  useEffect(() => {
    const load = () => void import('./chinese-font')
    if (chinese) {
      load()
      void loadSentences()
    } else if ('requestIdleCallback' in window) window.requestIdleCallback(load, { timeout: 5000 })
    else setTimeout(load, 2000)
  }, [chinese])
  return (
    <ThemeProvider attribute="data-theme" defaultTheme="system" enableSystem disableTransitionOnChange nonce={nonce}>
      <TooltipRoot>{children}</TooltipRoot>
      <Toaster />
    </ThemeProvider>
  )
}
