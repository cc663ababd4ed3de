'use client'
import { type ComponentType, useEffect, useState } from 'react'
import { isFetchFailure } from './use-recovery'

const againMs = 2_000

/**
 * A part of the frame around every page that is fetched when it is first drawn. While it cannot be fetched (the dashboard is away) nothing is drawn in its place and it is asked for again: a
 * failure here must not take the frame with it, and with that every open terminal. What a page alone needs may use Next's `dynamic`, whose failure is shown in the page.
 */
export function later<Props extends object>(fetchPart: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let fetched: ComponentType<Props> | null = null
  return function Later(props: Props) {
    const [Part, setPart] = useState(() => fetched)
    const [broken, setBroken] = useState<Error | null>(null)
    useEffect(() => {
      if (Part) return
      let gone = false
      let timer: ReturnType<typeof setTimeout> | undefined
      const attempt = () =>
        fetchPart().then(
          (part) => {
            fetched = part
            if (!gone) setPart(() => part)
          },
          (error: Error) => {
            if (gone) return
            if (isFetchFailure(error)) timer = setTimeout(attempt, againMs)
            else setBroken(error)
          },
        )
      void attempt()
      return () => {
        gone = true
        clearTimeout(timer)
      }
    }, [Part])
    if (broken) throw broken
    return Part ? <Part {...props} /> : null
  }
}
