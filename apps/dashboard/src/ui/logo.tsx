import { cn } from './class-names'

/** The mark: two stacked boxes at a quay, and the water. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" className={cn('size-6', className)}>
      <path d="M4 4.5h7.5v6H4z" fill="var(--accent)" />
      <path d="M4 12h16v6H4z" fill="var(--accent)" opacity="0.55" />
      <path d="M13 4.5h3.5v6H13z" fill="var(--brass)" />
      <path
        d="M2 20.5c1.7 0 1.7 1.2 3.4 1.2s1.7-1.2 3.3-1.2 1.7 1.2 3.3 1.2 1.7-1.2 3.4-1.2 1.6 1.2 3.3 1.2 1.7-1.2 3.3-1.2"
        fill="none"
        stroke="var(--ink-3)"
        strokeWidth="1.3"
        strokeLinecap="round"
      />
    </svg>
  )
}
