/**
 * How well an entry answers what was typed: 0 = not at all. Every word must occur, in any order ("stop web" finds web's stop); beginnings of words count more. `text` is in small letters.
 */
export function rank(text: string, typed: string): number {
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

export interface Ranked {
  group: string
  /** In small letters: what the entry is found by. */
  text: string
  /** Of entries that answer equally well the greater comes first: a thing before what can be done with it. */
  weight: number
}

/** The best entries for what was typed, by group; the group with the best entry first, at most `most` of each. Without anything typed, the entries that are `atFirst`, in their own order. Pure. */
export function bestEntries<Entry extends Ranked & { atFirst: boolean }>(
  entries: readonly Entry[],
  typed: string,
  most: number,
): { group: string; entries: Entry[] }[] {
  const groups = new Map<string, { best: number; found: { entry: Entry; score: number }[] }>()
  const nothing = typed.trim() === ''
  for (const entry of entries) {
    if (nothing && !entry.atFirst) continue
    const score = nothing ? 1 : rank(entry.text, typed) * entry.weight
    if (score === 0) continue
    const group = groups.get(entry.group) ?? { best: 0, found: [] }
    groups.set(entry.group, group)
    group.best = Math.max(group.best, score)
    group.found.push({ entry, score })
  }
  const sorted = [...groups]
  if (!nothing) sorted.sort(([, a], [, b]) => b.best - a.best)
  return sorted.map(([group, { found }]) => {
    if (!nothing) found.sort((a, b) => b.score - a.score)
    return { group, entries: found.slice(0, most).map(({ entry }) => entry) }
  })
}
