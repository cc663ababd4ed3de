'use client'
import { useMemo, useRef } from 'react'

/** Where somebody is most likely to begin: a text, then any control of the body, then the first button of the foot, which is the one that changes nothing. */
const beginnings = [
  '[data-dialog-body] :is(input[type=text], input[type=email], input[type=password], input[type=number], input:not([type]), textarea):not([disabled], [readonly])',
  '[data-dialog-body] :is(input, button, a[href], [role=combobox]):not([disabled], [tabindex="-1"])',
  '[data-dialog-foot] button',
]

/**
 * For the content of a dialog that is opened without a trigger of its own. It begins where one goes on by keyboard; on a touch screen the dialog itself has the focus, so that no keyboard covers it unasked.
 * Whatever had the focus when it opened has it again when it is closed; if that is gone (the row that was removed), the page's content has it, so that the next Tab does not begin at the top of the window.
 */
export function useFocusBack(): { onOpenAutoFocus: (event: Event) => void; onCloseAutoFocus: (event: Event) => void } {
  const opener = useRef<Element | null>(null)
  return useMemo(
    () => ({
      onOpenAutoFocus: (event) => {
        opener.current = document.activeElement
        const content = event.currentTarget
        if (!(content instanceof HTMLElement)) return
        const touch = window.matchMedia('(pointer: coarse)').matches
        // What is inside a folded part is found and cannot have the focus.
        const found = touch
          ? content
          : beginnings.flatMap((selector) => [...content.querySelectorAll<HTMLElement>(selector)]).find((one) => one.checkVisibility())
        event.preventDefault()
        ;(found ?? content).focus({ preventScroll: true })
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
