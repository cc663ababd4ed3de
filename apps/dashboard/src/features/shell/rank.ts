/**
 * How well an entry answers what was typed: 0 = not at all. Every word must occur, in any order ("stop web" finds web's stop); beginnings of words count more.
 */
export function rank(entry: string, typed: string): number {
  const text = entry.toLowerCase()
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return 1
  let score = 0
  for (const word of words) {
    const at = text.indexOf(word)
    if (at < 0) return 0
    score += at === 0 ? 1 : /[\s/:._-]/.test(text[at - 1] ?? '') ? 0.8 : 0.4
  }
  return score / words.length
}
