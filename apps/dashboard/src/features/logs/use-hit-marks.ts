import { type RefObject, useLayoutEffect } from 'react'
import { type LogSearch, searchPattern } from './log-search'

/** More in one line are not told apart by eye any more. */
const mostPerText = 50

/**
 * Marks what the search fits in the lines that are in the page, by CSS highlights: the lines themselves stay as they are. One highlight serves every log of the page. A browser
 * without them shows no marks.
 */
export function useHitMarks(root: RefObject<HTMLElement | null>, search: LogSearch | null): void {
  useLayoutEffect(() => {
    if (!search || search.invert || !root.current || typeof Highlight === 'undefined') return
    const pattern = searchPattern(search)
    if (!pattern) return
    const highlight = CSS.highlights.get('log-hit') ?? new Highlight()
    CSS.highlights.set('log-hit', highlight)
    const ranges = [...rangesIn(root.current, pattern)]
    for (const range of ranges) highlight.add(range)
    return () => {
      for (const range of ranges) highlight.delete(range)
    }
  })
}

function* rangesIn(root: HTMLElement, pattern: RegExp): Generator<Range> {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    let found = 0
    for (const match of (node.nodeValue ?? '').matchAll(pattern)) {
      if (match[0] === '') continue
      found += 1
      if (found > mostPerText) break
      const range = new Range()
      range.setStart(node, match.index)
      range.setEnd(node, match.index + match[0].length)
      yield range
    }
  }
}
