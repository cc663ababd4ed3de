'use client'
import { Check, Copy, SquareTerminal } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { Button } from './button'
import { cn } from './class-names'

/** Copies text, also where the page is not a secure context and there is no clipboard API. Resolves to whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text)
      return true
    }
  } catch {
    // Not allowed in this context: the old way below.
  }
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.className = 'sr-only'
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  return copied
}

/** A button that copies `text` and says for two seconds that it did. */
export function CopyButton({ text, className, label }: { text: string; className?: string; label?: string }) {
  const t = useTranslations('ui')
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <Button
      tone="quiet"
      size="icon-small"
      hint={copied ? t('copied') : (label ?? t('copy'))}
      // Stands in lines of text: on a touch screen it is larger than they are and must not push them apart.
      className={cn('pointer-coarse:-my-3', className)}
      onClick={async (event) => {
        event.stopPropagation()
        setCopied(await copyText(text))
      }}
    >
      {copied ? <Check className="text-good" aria-hidden /> : <Copy aria-hidden />}
    </Button>
  )
}

/** Code on a dark ground, with a copy button. `wrap` breaks long lines instead of scrolling. */
export function CodeBlock({ code, wrap, className, label }: { code: string; wrap?: boolean; className?: string; label?: string }) {
  const t = useTranslations('ui')
  return (
    <div className={cn('group relative min-w-0 rounded-md border border-term-line bg-term text-term-ink', className)}>
      <section
        aria-label={label ?? t('code')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md p-3 pr-10"
      >
        <pre className={cn('text-xs leading-5', wrap && 'whitespace-pre-wrap break-all')}>{code}</pre>
      </section>
      <CopyButton
        text={code}
        className="absolute top-1.5 right-1.5 pointer-coarse:my-0 text-term-ink hover:bg-term-line hover:text-term-ink"
      />
    </div>
  )
}

/** The command line that does the same as the page's action. */
export function CommandLine({ command, className }: { command: string; className?: string }) {
  const t = useTranslations('ui')
  return (
    <details className={cn('group/cmd min-w-0', className)}>
      <summary className="tap inline-flex items-center gap-1.5 rounded-sm text-ink-3 text-xs hover:text-ink">
        <SquareTerminal className="size-3.5" aria-hidden />
        {t('sameOnCommandLine')}
      </summary>
      <CodeBlock code={command} wrap className="mt-1.5" />
    </details>
  )
}
