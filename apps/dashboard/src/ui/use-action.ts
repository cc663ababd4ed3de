'use client'
import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'
import { sayDone, sayFailed } from './toaster'

export interface Action<I> {
  run: (input: I) => void
  /** The same, for who must wait: rejects with the error, which is not shown. */
  ask: (input: I) => Promise<void>
  busy: boolean
  /** What it runs with now: of several buttons that share it, the one that was pressed turns. */
  current: I | undefined
}

/** A command behind a button: runs once at a time, says what was done, or what failed and why. Empty `done`: what happens is plain to see. */
export function useAction<I, O>(
  perform: (input: I) => Promise<O>,
  words: { done?: (output: O, input: I) => string; failed: (input: I) => string; after?: (output: O, input: I) => void },
): Action<I> {
  const newest = useRef({ perform, words })
  newest.current = { perform, words }
  const mutation = useMutation({ mutationFn: (input: I) => newest.current.perform(input) })
  const settle = (output: O, input: I) => {
    const said = newest.current.words.done?.(output, input)
    if (said) sayDone(said)
    newest.current.words.after?.(output, input)
  }
  return {
    // Not by mutate's own callbacks: they are dropped with the component, and a row that is scrolled away or a menu that closes is gone before its command has been answered.
    run: (input) =>
      void mutation.mutateAsync(input).then(
        (output) => settle(output, input),
        (error) => sayFailed(newest.current.words.failed(input), error),
      ),
    ask: async (input) => settle(await mutation.mutateAsync(input), input),
    busy: mutation.isPending,
    current: mutation.isPending ? mutation.variables : undefined,
  }
}
