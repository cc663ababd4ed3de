'use client'
import { useEffect } from 'react'
import { Toaster as Sonner, toast } from 'sonner'

export type Toast = typeof toast

/** Where short messages appear. `onReady` gets the function that shows one, once there is somewhere to show it. */
export function ToastSurface({ onReady }: { onReady: (show: Toast) => void }) {
  useEffect(() => onReady(toast), [onReady])
  return (
    <Sonner
      position="bottom-right"
      offset={{ bottom: 'calc(var(--dock, 0px) + 1rem)', right: 16 }}
      mobileOffset={{ bottom: 'calc(var(--dock, 0px) + 0.75rem)', left: 12, right: 12 }}
      gap={8}
      visibleToasts={4}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            'flex w-full items-start gap-2.5 rounded-md font-sans border border-line-strong bg-raised px-3 py-2.5 text-ink text-sm shadow-pop sm:w-(--width)',
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
