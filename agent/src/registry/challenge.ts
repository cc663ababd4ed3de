/** `WWW-Authenticate` (RFC 9110 section 11.6.1): several challenges, parameters quoted or not. */
export interface Challenge {
  scheme: 'basic' | 'bearer'
  parameters: Record<string, string>
}

/** The challenges that are understood, in the order given. Anything malformed ends the reading, it does not fail. */
export function parseChallenges(headers: string | string[] | undefined): Challenge[] {
  const text = (Array.isArray(headers) ? headers.join(', ') : (headers ?? '')).slice(0, 16 * 1024)
  const found: Challenge[] = []
  let current: { scheme: string; parameters: Record<string, string> } | null = null
  const finish = () => {
    if (current && (current.scheme === 'basic' || current.scheme === 'bearer')) found.push(current as Challenge)
  }
  const token = /\s*,?\s*(?:([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][A-Za-z0-9_-]*)(?=\s|,|$))/y
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [, name, quoted, bare, scheme] = match
    if (scheme !== undefined) {
      finish()
      current = { scheme: scheme.toLowerCase(), parameters: {} }
    } else if (current && name !== undefined) {
      current.parameters[name.toLowerCase()] = quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1')
    }
  }
  finish()
  return found
}
