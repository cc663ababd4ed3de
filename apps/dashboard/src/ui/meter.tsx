'use client'
import { Slider as RadixSlider } from 'radix-ui'
import { cn } from './class-names'
import { useFieldIds } from './field'

/** How much of a whole is used. Turns amber at 80 % and red at 95 %; without a maximum it shows the value alone. */
export function Meter({
  value,
  max,
  label,
  text,
  className,
  stale,
  calm,
}: {
  value: number
  max: number | null
  /** What is measured, for screen readers. */
  label: string
  /** The value in words, shown at the right end. */
  text?: string
  className?: string
  /** The value is old: shown in grey. */
  stale?: boolean
  /** A share that may be great without being bad: it never turns amber or red. */
  calm?: boolean
}) {
  const share = max && max > 0 ? Math.min(1, Math.max(0, value / max)) : 0
  const fill = stale
    ? 'var(--ink-off)'
    : calm
      ? 'var(--accent)'
      : share >= 0.95
        ? 'var(--bad)'
        : share >= 0.8
          ? 'var(--warn)'
          : 'var(--accent)'
  return (
    <div className={cn('grid min-w-0 gap-1', className)}>
      {text ? <span className={cn('tabular truncate text-xs leading-4', stale ? 'text-ink-off' : 'text-ink-2')}>{text}</span> : null}
      {/* biome-ignore lint/a11y/useSemanticElements: a <meter> cannot be drawn with our tokens in every browser */}
      <svg
        role="meter"
        aria-label={label}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={text}
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="h-1 w-full overflow-hidden rounded-full"
      >
        <rect width="100" height="4" fill="var(--calm-soft)" />
        <rect width={share * 100} height="4" fill={fill} />
        <path d="M25 0v4M50 0v4M75 0v4" stroke="var(--surface)" strokeWidth="0.5" vectorEffect="non-scaling-stroke" />
      </svg>
    </div>
  )
}

/** A slider for a limit, with a mark where the present use is. */
export function LimitSlider({
  value,
  onChange,
  onCommit,
  min = 0,
  max,
  step,
  use,
  label,
  valueText,
  disabled,
}: {
  value: number
  onChange: (value: number) => void
  onCommit?: (value: number) => void
  min?: number
  max: number
  step: number
  /** Present use on the same scale. */
  use?: number | null
  label: string
  valueText: string
  disabled?: boolean
}) {
  const field = useFieldIds()
  const usePercent = use === undefined || use === null || max <= min ? null : Math.min(100, Math.max(0, ((use - min) / (max - min)) * 100))
  return (
    <RadixSlider.Root
      value={[Math.min(max, Math.max(min, value))]}
      onValueChange={([next]) => next !== undefined && onChange(next)}
      onValueCommit={([next]) => next !== undefined && onCommit?.(next)}
      min={min}
      max={max}
      step={step}
      disabled={disabled}
      className="relative flex h-control w-full touch-none select-none items-center data-disabled:opacity-50"
    >
      <RadixSlider.Track className="forced-color-adjust-none relative h-1.5 w-full grow overflow-hidden rounded-full bg-calm-soft">
        <RadixSlider.Range className="absolute h-full bg-accent" />
        {usePercent === null ? null : (
          <svg className="absolute inset-0 size-full" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect width={usePercent} height="6" fill="var(--brass)" opacity="0.85" />
          </svg>
        )}
      </RadixSlider.Track>
      <RadixSlider.Thumb
        aria-label={label}
        aria-valuetext={valueText}
        aria-describedby={field?.describedBy}
        className="block size-4 rounded-full border-2 border-accent bg-raised transition-transform duration-(--quick) hover:scale-110"
      />
    </RadixSlider.Root>
  )
}
