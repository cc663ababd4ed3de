/** Where to go after signing in: a path of this dashboard, never another site (no `//host`, no scheme, no backslash, no control character). */
export function safeDestination(next: string | null | undefined): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/'
  // Browsers drop tabs and newlines from addresses: what stands before and after them could join to another host's name.
  if ([...next].some((letter) => letter.charCodeAt(0) < 32)) return '/'
  return /^\/(sign-in|setup|invite|api)(\/|\?|$)/.test(next) ? '/' : next
}
