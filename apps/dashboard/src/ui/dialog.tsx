'use client'
import { X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { Button } from './button'
import { cn } from './class-names'
import { useFocusBack } from './focus-back'

interface DialogProps {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: ReactNode
  /** One or two sentences under the title; also what a screen reader reads out. */
  description?: ReactNode
  children: ReactNode
  /** Buttons, at the lower right; on a phone across the width. */
  footer?: ReactNode
  /** Set while something would be lost: a click outside does not close. */
  sticky?: boolean
  className?: string
}

/** Asks for something in the middle of the page. Focus is kept inside and goes back to where it came from. */
export function Dialog(props: DialogProps & { size?: 'small' | 'normal' | 'wide' }) {
  const width = { small: 'sm:max-w-md', normal: 'sm:max-w-xl', wide: 'sm:max-w-4xl' }[props.size ?? 'normal']
  return (
    <Frame
      {...props}
      place={cn(
        'pop-in inset-x-0 bottom-0 max-h-[92dvh] rounded-t-lg sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:max-h-[86dvh] sm:w-[calc(100vw-3rem)] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-lg',
        width,
      )}
    />
  )
}

/** The same, coming from the right side and as high as the window: for long forms and details of a row. */
export function Sheet(props: DialogProps & { size?: 'normal' | 'wide' }) {
  const width = props.size === 'wide' ? 'sm:max-w-4xl' : 'sm:max-w-xl'
  return <Frame {...props} place={cn('slide-in inset-y-0 right-0 h-dvh w-full border-y-0 border-r-0', width)} />
}

/** The button that leaves a dialog without doing anything: first in its foot. */
export function DialogCancel() {
  const t = useTranslations('ui')
  return (
    <Radix.Close asChild>
      <Button>{t('cancel')}</Button>
    </Radix.Close>
  )
}

function Frame({ open, onOpenChange, title, description, children, footer, sticky, className, place }: DialogProps & { place: string }) {
  const t = useTranslations('ui')
  const focus = useFocusBack()
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 bg-scrim" />
        <Radix.Content
          {...focus}
          {...(description ? {} : { 'aria-describedby': undefined })}
          onInteractOutside={(event) => {
            const onToast = event.target instanceof HTMLElement && event.target.closest('[data-sonner-toaster]')
            if (sticky || onToast) event.preventDefault()
          }}
          className={cn('fixed z-50 flex flex-col border border-line-strong bg-surface shadow-pop outline-none', place, className)}
        >
          <header className="border-b px-4 py-3">
            <div className="flex items-start justify-between gap-4">
              <Radix.Title className="min-w-0 break-words font-semibold text-lg">{title}</Radix.Title>
              <Radix.Close
                aria-label={t('close')}
                className="-mr-1.5 grid size-7 shrink-0 pointer-coarse:-my-2.5 pointer-coarse:size-11 place-items-center rounded-md text-ink-3 hover:bg-hover hover:text-ink"
              >
                <X className="size-4" aria-hidden />
              </Radix.Close>
            </div>
            {description ? <Radix.Description className="mt-0.5 text-pretty text-ink-3 text-sm">{description}</Radix.Description> : null}
          </header>
          <div data-dialog-body className="[&:has(>form>button:only-child)]:hidden empty:hidden min-h-0 flex-1 overflow-y-auto px-4 py-4">
            {children}
          </div>
          {footer ? (
            <footer
              data-dialog-foot
              className="flex flex-wrap items-center justify-end gap-2 border-t bg-canvas px-4 py-3 max-sm:[&>button]:flex-1"
            >
              {footer}
            </footer>
          ) : null}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
