import '../ui/theme.css'
import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import { NextIntlClientProvider } from 'next-intl'
import { getLocale } from 'next-intl/server'
import type { ReactNode } from 'react'
import { LookProvider } from '../ui/look-provider'

export const metadata: Metadata = { title: { default: 'Berth', template: '%s · Berth' } }
export const viewport: Viewport = { width: 'device-width', initialScale: 1 }

export default async function RootLayout({ children }: { children: ReactNode }) {
  const locale = await getLocale()
  const nonce = /'nonce-([^']+)'/.exec((await headers()).get('content-security-policy') ?? '')?.[1]
  return (
    <html lang={locale} suppressHydrationWarning>
      <body>
        <NextIntlClientProvider>
          <LookProvider nonce={nonce} chinese={locale.startsWith('zh')}>
            {children}
          </LookProvider>
        </NextIntlClientProvider>
      </body>
    </html>
  )
}
