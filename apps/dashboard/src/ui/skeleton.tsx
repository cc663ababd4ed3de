import { cn } from './class-names'

/** Where something will be. Said to screen readers by the region around it (`aria-busy`). */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn('breathing rounded-sm bg-calm-soft', className)} />
}

/** Several lines of it. */
export function SkeletonRows({ rows = 6, className }: { rows?: number; className?: string }) {
  return (
    <div className={cn('grid gap-3 p-4', className)} aria-hidden>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
        <Skeleton key={row} className={cn('h-4', ['w-full', 'w-5/6', 'w-11/12', 'w-3/4'][row % 4])} />
      ))}
    </div>
  )
}
