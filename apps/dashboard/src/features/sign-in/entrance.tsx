import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { Logo } from '../../ui/logo'

/**
 * The frame of pages for people who are not signed in: at the left, where there is room, what this is; at the right what is asked. `steps`: what happens from here on,
 * in place of the picture's sentence.
 */
export function Entrance({
  title,
  lead,
  steps,
  children,
}: {
  title: ReactNode
  lead?: ReactNode
  steps?: readonly ReactNode[]
  children: ReactNode
}) {
  const t = useTranslations('sign-in')
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
      <aside className="relative hidden flex-col overflow-hidden border-r bg-sunken p-10 lg:flex">
        <Mark />
        <div className="relative z-10 my-auto max-w-md pb-[55%]">
          <p className="text-balance font-semibold text-2xl tracking-tight">{t('promise')}</p>
          {steps ? (
            <ol className="mt-5 grid gap-3 text-ink-2">
              {steps.map((step, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the steps never change their order
                <li key={index} className="flex items-start gap-3">
                  <span className="tabular grid size-5.5 shrink-0 place-items-center rounded-full border border-line-strong bg-surface font-medium text-xs">
                    {index + 1}
                  </span>
                  <span className="text-base">{step}</span>
                </li>
              ))}
            </ol>
          ) : (
            <p className="mt-3 text-base text-ink-2">{t('promiseLead')}</p>
          )}
        </div>
        <Quay />
      </aside>
      <main className="grid place-items-center bg-canvas px-4 py-12">
        <div className="w-full max-w-sm">
          <div className="mb-6 flex justify-center lg:hidden">
            <Mark />
          </div>
          <section className="max-lg:rounded-lg max-lg:border max-lg:bg-surface max-lg:p-5">
            <h1 className="font-semibold text-xl tracking-tight">{title}</h1>
            {lead ? <p className="mt-1 text-ink-3">{lead}</p> : null}
            <div className="mt-5">{children}</div>
          </section>
        </div>
      </main>
    </div>
  )
}

function Mark() {
  return (
    <p className="relative z-10 flex items-center gap-2 font-semibold text-lg tracking-tight">
      <Logo />
      Berth
    </p>
  )
}

/** Boxes at a quay, and the water: the logo from nearer by. */
function Quay() {
  const boxes = [
    [40, 150, 84, 'var(--accent)', 0.9],
    [130, 150, 84, 'var(--accent)', 0.55],
    [220, 150, 52, 'var(--brass)', 0.85],
    [40, 94, 52, 'var(--accent)', 0.4],
    [98, 94, 84, 'var(--accent)', 0.7],
    [40, 38, 84, 'var(--brass)', 0.35],
  ] as const
  return (
    <svg viewBox="0 0 480 260" className="pointer-events-none absolute inset-x-0 bottom-0 w-full" aria-hidden="true">
      {boxes.map(([x, y, width, fill, opacity]) => (
        <g key={`${x}-${y}`}>
          <rect x={x} y={y} width={width} height="50" rx="3" fill={fill} opacity={opacity} />
          {Array.from({ length: Math.floor(width / 12) - 1 }, (_, rib) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: ribs of a drawing
            <path key={rib} d={`M${x + 12 + rib * 12} ${y + 7}v36`} stroke="var(--sunken)" strokeWidth="1.5" opacity="0.45" />
          ))}
        </g>
      ))}
      <path d="M0 203h330v9H0z" fill="var(--ink-3)" opacity="0.35" />
      {[222, 234, 246].map((y, index) => (
        <path
          key={y}
          d={`M${-20 + index * 14} ${y}c14 0 14 7 28 7s14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7 14-7 28-7 14 7 28 7`}
          fill="none"
          stroke="var(--accent)"
          strokeWidth="1.5"
          opacity={0.45 - index * 0.12}
        />
      ))}
    </svg>
  )
}
