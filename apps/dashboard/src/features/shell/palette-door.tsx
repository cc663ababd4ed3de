'use client'
import { useTranslations } from 'next-intl'
import { type ComponentType, type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { SkeletonRows } from '../../ui/skeleton'
import { sayFailed } from '../../ui/toaster'
import type { PaletteProps } from './palette'
import { afterKey } from './typed-ahead'

let fetching: Promise<ComponentType<PaletteProps>> | undefined

/** Fetches the palette, once. Called as soon as somebody looks as if they wanted it; what fails now is tried again when it is opened. */
function fetchPalette(): Promise<ComponentType<PaletteProps>> {
  fetching ??= import('./palette').then(
    (module) => module.Palette,
    (error: unknown) => {
      fetching = undefined
      throw error
    },
  )
  return fetching
}
const fetchEarly = () => void fetchPalette().catch(() => undefined)

/**
 * The palette, which most visits never open and which is therefore no part of a page: it comes when somebody is near its button or presses Ctrl or Command.
 * `surface` belongs somewhere in the tree, `near` onto the button, for which `show` is too. What is typed before the palette is there is kept for it.
 */
export function usePalette(): { surface: ReactNode; show: () => void; near: { onPointerEnter: () => void; onFocus: () => void } } {
  const t = useTranslations('shell')
  const [open, setOpen] = useState(false)
  const [Palette, setPalette] = useState<ComponentType<PaletteProps> | null>(null)
  const typed = useRef('')
  usePaletteKey(() => setOpen((before) => !before))
  useEffect(() => {
    if (!open) typed.current = ''
    if (!open || Palette) return
    let gone = false
    fetchPalette().then(
      (component) => gone || setPalette(() => component),
      (error: unknown) => {
        if (gone) return
        setOpen(false)
        sayFailed(t('findOrDo'), error)
      },
    )
    return () => {
      gone = true
    }
  }, [open, Palette, t])
  const takeTyped = useCallback(() => {
    const { current } = typed
    typed.current = ''
    return current
  }, [])
  const surface = Palette ? (
    <Palette open={open} onOpenChange={setOpen} takeTyped={takeTyped} />
  ) : open ? (
    <Coming
      onTyped={(text) => {
        typed.current = text
      }}
      onClose={() => setOpen(false)}
    />
  ) : null
  return { surface, show: () => setOpen(true), near: { onPointerEnter: fetchEarly, onFocus: fetchEarly } }
}

/** Stands where the palette will be. The focus stays where it is, so that the palette finds it there and can give it back. */
function Coming({ onTyped, onClose }: { onTyped: (text: string) => void; onClose: () => void }) {
  const t = useTranslations('shell')
  const [text, setText] = useState('')
  const soFar = useRef('')
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      event.stopPropagation()
      if (event.key === 'Escape') return onClose()
      soFar.current = afterKey(soFar.current, event.key)
      setText(soFar.current)
      onTyped(soFar.current)
    }
    document.addEventListener('keydown', press, true)
    return () => document.removeEventListener('keydown', press, true)
  })
  return (
    <>
      <div className="fixed inset-0 z-60 bg-scrim" onPointerDown={onClose} />
      <div
        role="status"
        className="fixed top-[10dvh] left-1/2 z-60 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-raised shadow-pop"
      >
        <p className="flex h-12 items-center border-b px-4 text-base text-ink-3">{text || t('findPlaceholder')}</p>
        <SkeletonRows rows={4} />
      </div>
    </>
  )
}

function usePaletteKey(toggle: () => void) {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === 'Control' || event.key === 'Meta') fetchEarly()
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return
      // In a terminal Ctrl-K belongs to the shell; Command-K does not.
      if (event.ctrlKey && event.target instanceof Element && event.target.closest('.xterm')) return
      event.preventDefault()
      toggle()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  })
}
