/** Names whose values never reach the audit. */
const secretName = /pass(word|wd|phrase)?$|secret|token|credential|private|^code$|^next$|^current$|^auth|csr|cookie/i
/** `NAME=value` lists: environment and build arguments hold secrets as a rule, and which ones nobody can tell. */
const assignmentList = /^(env|environment|buildArgs?|build-?args?)$/i
const longestText = 300
const mostItems = 40
const deepest = 6
const longestDetail = 8_192

/** An input as the audit keeps it: JSON without secrets, bounded. */
export function redact(input: unknown): string {
  const text = JSON.stringify(clean(input, '', 0)) ?? 'null'
  return text.length <= longestDetail ? text : JSON.stringify({ truncated: true, begin: text.slice(0, longestDetail - 100) })
}

function clean(value: unknown, name: string, depth: number): unknown {
  if (value === null || value === undefined) return null
  if (secretName.test(name) && typeof value !== 'boolean') return '…'
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText)}…` : value
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (depth >= deepest) return '…'
  if (Array.isArray(value)) {
    const kept = value
      .slice(0, mostItems)
      .map((one) => (assignmentList.test(name) && typeof one === 'string' ? withoutValue(one) : clean(one, '', depth + 1)))
    return value.length > mostItems ? [...kept, `… ${value.length - mostItems} more`] : kept
  }
  if (typeof value === 'object') {
    const entries = Object.entries(value).slice(0, 100)
    if (assignmentList.test(name)) return Object.fromEntries(entries.map(([key]) => [key, '…']))
    return Object.fromEntries(entries.map(([key, inner]) => [key, clean(inner, key, depth + 1)]))
  }
  return String(value)
}

function withoutValue(assignment: string): string {
  const at = assignment.indexOf('=')
  return at < 0 ? assignment : `${assignment.slice(0, at)}=…`
}
