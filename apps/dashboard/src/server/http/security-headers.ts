import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Headers of every answer. Scripts run only with this answer's nonce (and what they load themselves); nothing is loaded from elsewhere; nobody frames us.
 * Styles may be inline: components position themselves with style attributes, which no nonce can cover.
 */
export function setSecurityHeaders(response: ServerResponse, options: { secure: boolean }): void {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('X-Frame-Options', 'DENY')
  response.setHeader('Referrer-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
  // Not on plain HTTP: a browser would refuse to come back by it. No preload and no sub-domains: the name is not ours to promise for.
  if (options.secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
}

/** The policy for a page. Development needs eval and inline for the bundler's hot reload; production has neither. */
export function pagePolicy(nonce: string, development: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self'${development ? ' ws: wss:' : ''}`,
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    // Every form is sent by its page's script. Before that has come, one must not go by itself: its fields, a password too, would stand in the address.
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Answers of the API and downloads are never documents: what a container wrote must not run here, whatever type it claims. */
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"

/** Sets the page's policy on the answer, and on the request, where Next.js looks for the nonce of its own scripts. */
export function setPagePolicy(request: IncomingMessage, response: ServerResponse, development: boolean): void {
  const policy = pagePolicy(randomBytes(16).toString('base64'), development)
  request.headers['content-security-policy'] = policy
  response.setHeader('Content-Security-Policy', policy)
}
