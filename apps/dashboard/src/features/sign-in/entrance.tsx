import type { ReactNode } from 'react'

/** The frame of pages for people who are not signed in: one card in the middle. */
export function Entrance({ title, lead, children }: { title: ReactNode; lead?: ReactNode; children: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center bg-canvas px-4 py-10">
      <div className="w-full max-w-sm">
        <p className="mb-5 flex items-center justify-center gap-2 font-semibold text-lg tracking-tight">
          {/* biome-ignore lint/performance/noImgElement: a vector of one kilobyte needs no image pipeline */}
          <img src="/icon.svg" alt="" width={26} height={26} />
          Berth
        </p>
        <section className="rounded-lg border bg-surface p-5 shadow-pop">
          <h1 className="font-semibold text-lg">{title}</h1>
          {lead ? <p className="mt-1 text-ink-3 text-sm">{lead}</p> : null}
          <div className="mt-4">{children}</div>
        </section>
      </div>
    </main>
  )
}
