'use client'
import { Fragment } from 'react'
import { type Kind, useSentences } from '../i18n/use-sentences'

/** What a host or the server said, in the reader's language where it is known; a line that is not is marked as English, for the voice that reads it. */
export function Sentence({ kind, children }: { kind?: Kind; children: string }) {
  return useSentences(kind)(children).map(({ text, foreign }, line) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text have no other name
    <Fragment key={line}>
      {line > 0 ? '\n' : null}
      {foreign ? <span lang="en">{text}</span> : text}
    </Fragment>
  ))
}
