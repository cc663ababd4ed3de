'use client'
import { Toaster as Sonner, toast } from 'sonner'
import { errorMessage } from './error-panel'

/** Where short messages appear. Put once in the document. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      offset={16}
      gap={8}
      visibleToasts={4}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            'flex w-full items-start gap-2.5 rounded-md border border-line-strong bg-raised px-3 py-2.5 text-ink text-sm shadow-pop sm:w-(--width)',
          title: 'font-medium break-words',
          description: 'text-ink-2 break-words whitespace-pre-wrap',
          actionButton: 'ml-auto shrink-0 rounded-sm px-2 py-0.5 font-medium text-accent hover:bg-hover',
          content: 'grid min-w-0 gap-0.5 flex-1',
          icon: 'mt-0.5 shrink-0 [&_svg]:size-4',
          success: '[&_[data-icon]]:text-good',
          error: '[&_[data-icon]]:text-bad border-bad/50',
        },
      }}
    />
  )
}

/** Says that something was done. */
export function sayDone(title: string, options?: { description?: string; action?: { label: string; onClick: () => void } }): void {
  toast.success(title, options)
}

/** Says that something failed, with the error's own words; stays until it is dismissed or ten seconds have gone. */
export function sayFailed(title: string, error: unknown): void {
  toast.error(title, { description: errorMessage(error), duration: 10_000 })
}
