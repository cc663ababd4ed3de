import createNextIntlPlugin from 'next-intl/plugin'

// Plain JavaScript on purpose: a configuration in TypeScript makes every start of the server load the compiler, which stays in memory (40 MB measured).

/** @type {import('next').NextConfig} */
const config = {
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  transpilePackages: ['@berth/contract'],
  // `npm run check` checks the same files with the same tsconfig; a start on a user's machine need not do it again.
  typescript: { ignoreBuildErrors: true },
  // Messages are compiled on the server (src/i18n/request.ts), so that the browser needs no parser for them.
  turbopack: { resolveAlias: { 'use-intl/format-message': 'use-intl/format-message/format-only' } },
  // Security headers and the policy with its nonce are written by the server in front (src/server/http/security-headers.ts).
}

export default createNextIntlPlugin('./src/i18n/request.ts')(config)
