/** The text of a field after a key, for what is typed before the field is there: characters are added, Backspace takes the last one away, other keys do nothing. */
export function afterKey(text: string, key: string): string {
  if (key === 'Backspace') return Array.from(text).slice(0, -1).join('')
  return Array.from(key).length === 1 ? text + key : text
}
