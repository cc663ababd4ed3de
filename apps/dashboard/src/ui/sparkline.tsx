import { cn } from './class-names'

/** The last values as a small line, without axes. Decoration: the newest value stands beside it. */
export function Sparkline({
  values,
  top,
  color = '--series-1',
  className,
  ground,
}: {
  values: readonly number[]
  top?: number
  color?: string
  className?: string
  /** Only the ground, for values that stand on it. */
  ground?: boolean
}) {
  if (values.length < 2) return <svg className={cn('h-5 w-16', className)} aria-hidden="true" />
  const high = Math.max(top ?? 0, ...values) || 1
  const step = 64 / (values.length - 1)
  const line = values
    .map((value, index) => `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${(19 - (value / high) * 17).toFixed(1)}`)
    .join('')
  return (
    <svg viewBox="0 0 64 20" preserveAspectRatio="none" className={cn('h-5 w-16', className)} aria-hidden="true">
      <path d={`${line}L64 20L0 20Z`} fill={`var(${color})`} opacity="0.14" />
      {ground ? null : <path d={line} fill="none" stroke={`var(${color})`} strokeWidth="1.25" vectorEffect="non-scaling-stroke" />}
    </svg>
  )
}
