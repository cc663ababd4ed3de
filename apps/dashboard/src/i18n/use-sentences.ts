'use client'
import { useLocale } from 'next-intl'
import { useCallback, useEffect, useSyncExternalStore } from 'react'
import type { SaidLine } from './sentence-matcher'

/** What is said: sentences, or the few words of a task's progress. */
export type Kind = 'sentences' | 'progress'
type Translators = Record<Kind, (said: string) => SaidLine[]>

let translators: Translators | null = null
let asked: Promise<void> | null = null
const waiting = new Set<() => void>()

/** Fetches the Chinese of what hosts and the server say; the next call tries again if it did not come. */
export function loadSentences(): Promise<void> {
  asked ??= import('./chinese-sentences').then(
    (module) => {
      translators = module.translators
      for (const tell of waiting) tell()
    },
    () => {
      asked = null
    },
  )
  return asked
}

function subscribe(tell: () => void): () => void {
  waiting.add(tell)
  return () => waiting.delete(tell)
}

/**
 * Turns the English of a host or of the server into the reader's language, line by line; what is not known stays English. Those who speak are never told
 * who reads: what they said may be kept, and be read by somebody else later.
 */
export function useSentences(kind: Kind = 'sentences'): (said: string) => SaidLine[] {
  const english = useLocale() === 'en'
  const ready = useSyncExternalStore(
    subscribe,
    () => translators,
    () => null,
  )
  useEffect(() => {
    if (!english) void loadSentences()
  }, [english])
  return useCallback(
    (said: string) => (english || !ready ? [{ text: said, foreign: !english }] : ready[kind](said)),
    [english, ready, kind],
  )
}

/** The same for where only a text can stand (a title, a place in another message). */
export function useSentenceText(): (said: string) => string {
  const sentences = useSentences()
  return useCallback(
    (said: string) =>
      sentences(said)
        .map(({ text }) => text)
        .join('\n'),
    [sentences],
  )
}
