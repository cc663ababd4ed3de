import type { CSSProperties } from 'react'
import { type AnsiSpan, readAnsi } from './ansi'
import { cn } from './class-names'

/** One line of a program's output in its own colours, on the dark ground of terminals. */
export function AnsiText({ text }: { text: string }) {
  const spans = readAnsi(text)
  const [only] = spans
  if (spans.length === 1 && only && only.color === null && only.ground === null && !only.bold && !only.dim) return <>{only.text}</>
  return (
    <>
      {spans.map((span, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: the spans of a line never change
          key={index}
          className={cn(span.bold && 'font-semibold', span.italic && 'italic', span.underline && 'underline')}
          style={styleOf(span)}
        >
          {span.text}
        </span>
      ))}
    </>
  )
}

function styleOf({ color, ground, dim }: AnsiSpan): CSSProperties | undefined {
  if (color === null && ground === null) return dim ? { color: 'var(--term-muted)' } : undefined
  if (ground === null) return { color: ink(color) }
  return { backgroundColor: typeof ground === 'number' ? `var(--ansi-${ground})` : ground, color: inkOn(ground) }
}

/** A program's own colour may be too dark for our ground, so it is lifted towards white; black is shown as grey. */
function ink(color: number | string | null): string | undefined {
  if (color === null) return undefined
  if (typeof color === 'number') return `var(--ansi-${color === 0 ? 8 : color})`
  return brightness(color) < 0.55 ? `color-mix(in srgb, ${color}, white ${Math.round((0.6 - brightness(color)) * 100)}%)` : color
}

/** On a coloured ground words are read before they are coloured. */
function inkOn(ground: number | string): string {
  if (typeof ground === 'string') return brightness(ground) > 0.45 ? 'var(--term)' : 'var(--ansi-15)'
  return ground === 0 || ground === 8 ? 'var(--ansi-15)' : 'var(--term)'
}

function brightness(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
