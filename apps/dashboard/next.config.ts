import type { NextConfig } from 'next'
import createNextIntlPlugin from 'next-intl/plugin'

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  transpilePackages: ['@berth/contract'],
  // `npm run check` checks the same files with the same tsconfig; a start on a user's machine need not do it again.
  typescript: { ignoreBuildErrors: true },
  // Security headers and the policy with its nonce are written by the server in front (src/server/http/security-headers.ts).
}

export default createNextIntlPlugin('./src/i18n/request.ts')(config)
