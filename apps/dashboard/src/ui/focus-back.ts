'use client'
import { useMemo, useRef } from 'react'

/**
 * For the content of a dialog that is opened without a trigger of its own: whatever had the focus when it opened has it again when it is closed; if that is gone (the row that was removed), the page's
 * content has it, so that the next Tab does not begin at the top of the window.
 */
export function useFocusBack(): { onOpenAutoFocus: () => void; onCloseAutoFocus: (event: Event) => void } {
  const opener = useRef<Element | null>(null)
  return useMemo(
    () => ({
      onOpenAutoFocus: () => {
        opener.current = document.activeElement
      },
      onCloseAutoFocus: (event) => {
        event.preventDefault()
        const { current } = opener
        const target = current instanceof HTMLElement && current !== document.body && current.isConnected ? current : null
        ;(target ?? document.getElementById('content'))?.focus({ preventScroll: true })
      },
    }),
    [],
  )
}
