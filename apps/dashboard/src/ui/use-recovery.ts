'use client'
import { useEffect } from 'react'

const lookMs = 2_000
/** A page that breaks again at once is not loaded again and again. */
const againMs = 15_000
const key = 'berth-recovered-at'

/** Whether something that a page loads later (a dialog, a tab) could not be fetched: the server was away for a moment, or is a newer one. */
export function isFetchFailure(error: Error): boolean {
  return error.name === 'ChunkLoadError' || /failed to (load|fetch)|error loading|importing a module script failed/i.test(error.message)
}

/** After such a failure: loads the page again as soon as the server answers. Does nothing for other errors. */
export function useRecovery(error: Error): void {
  useEffect(() => {
    if (!isFetchFailure(error)) return
    let timer: ReturnType<typeof setTimeout>
    const look = async (): Promise<void> => {
      const there = await fetch('/healthz', { cache: 'no-store' }).then(
        (answer) => answer.ok,
        () => false,
      )
      const last = Number(sessionStorage.getItem(key) ?? 0)
      if (there && Date.now() - last > againMs) {
        sessionStorage.setItem(key, String(Date.now()))
        window.location.reload()
      } else timer = setTimeout(() => void look(), lookMs)
    }
    void look()
    return () => clearTimeout(timer)
  }, [error])
}
