import type { IncomingMessage, ServerResponse } from 'node:http'

/** Over TLS the name binds the cookie to this host and to TLS (RFC 6265bis, __Host-); browsers refuse that name over plain HTTP. */
const names = { secure: '__Host-berth-session', plain: 'berth-session' } as const

export function readSessionCookie(request: IncomingMessage, secure: boolean): string | null {
  return cookieNamed(request.headers.cookie, secure ? names.secure : names.plain)
}

export function setSessionCookie(response: ServerResponse, value: string, maxAgeMs: number, secure: boolean): void {
  append(
    response,
    `${secure ? names.secure : names.plain}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.floor(maxAgeMs / 1000)}${secure ? '; Secure' : ''}`,
  )
}

export function clearSessionCookie(response: ServerResponse, secure: boolean): void {
  append(response, `${secure ? names.secure : names.plain}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${secure ? '; Secure' : ''}`)
}

function append(response: ServerResponse, cookie: string): void {
  response.appendHeader('Set-Cookie', cookie)
}

export function cookieNamed(header: string | undefined, name: string): string | null {
  for (const part of (header ?? '').split(';')) {
    const [key, ...rest] = part.trim().split('=')
    if (key === name) return rest.join('=')
  }
  return null
}
