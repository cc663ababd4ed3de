'use client'
import { useCallback, useEffect, useState } from 'react'
import { errorMessage } from './error-message'
import { later } from './later'
import { Sentence } from './sentence'
import type { Toast } from './toast-surface'

const Surface = later(() => import('./toast-surface').then((module) => module.ToastSurface))

/** Messages that were said before there was somewhere to show them. */
let waiting: ((show: Toast) => void)[] = []
let show: Toast | null = null
let wake: (() => void) | null = null
/** Nobody says anything in the first moments of a page, so the surface comes after everything that is looked at. */
const idleMs = 5000

function say(message: (show: Toast) => void): void {
  if (show) message(show)
  else {
    waiting.push(message)
    wake?.()
  }
}

/** Where short messages appear. Put once in the document. */
export function Toaster() {
  const [wanted, setWanted] = useState(false)
  useEffect(() => {
    wake = () => setWanted(true)
    if (waiting.length > 0) setWanted(true)
    const timer = setTimeout(wake, idleMs)
    return () => {
      clearTimeout(timer)
      wake = null
    }
  }, [])
  const ready = useCallback((toast: Toast) => {
    show = toast
    for (const message of waiting) message(toast)
    waiting = []
  }, [])
  return wanted ? <Surface onReady={ready} /> : null
}

/** Says that something was done. */
export function sayDone(title: string, options?: { description?: string; action?: { label: string; onClick: () => void } }): void {
  say((toast) => toast.success(title, options))
}

/** Says that something failed, with the error's own words; stays until it is dismissed or ten seconds have gone. */
export function sayFailed(title: string, error: unknown): void {
  say((toast) => toast.error(title, { description: <Sentence>{errorMessage(error)}</Sentence>, duration: 10_000 }))
}
