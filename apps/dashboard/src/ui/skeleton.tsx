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

/** The rows of a table, as high as they will be. */
export function SkeletonTable() {
  return (
    <div aria-hidden>
      {['w-40', 'w-56', 'w-32', 'w-48', 'w-36', 'w-52', 'w-44', 'w-28'].map((width) => (
        <div key={width} className="flex h-row items-center gap-6 border-b px-4">
          <Skeleton className={cn('h-3.5', width)} />
          <Skeleton className="h-3.5 w-24 max-sm:hidden" />
          <Skeleton className="h-3.5 w-32 max-lg:hidden" />
        </div>
      ))}
    </div>
  )
}

/** A page about one thing: its name, and what is said about it. */
export function SkeletonPage() {
  return (
    <div aria-hidden className="grid gap-4 p-4">
      <div className="grid gap-2">
        <Skeleton className="h-3 w-28" />
        <Skeleton className="h-6 w-56" />
      </div>
      <Skeleton className="h-px w-full" />
      <div className="grid gap-3 xl:grid-cols-2">
        <Skeleton className="h-56 rounded-lg" />
        <Skeleton className="h-56 rounded-lg max-xl:hidden" />
      </div>
    </div>
  )
}
