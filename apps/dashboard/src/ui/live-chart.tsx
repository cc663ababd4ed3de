'use client'
import 'uplot/dist/uPlot.min.css'
import { useTheme } from 'next-themes'
import { useEffect, useRef, useState } from 'react'
import type uPlot from 'uplot'
import { cn } from './class-names'

export interface ChartSeries {
  label: string
  /** A CSS custom property: `--series-1`. */
  color: string
  values: readonly (number | null)[]
  /** Drawn as a dashed line without a ground: a limit. */
  limit?: boolean
}

/** Half the width of a time below the chart, in pixels. */
const halfClock = 16

interface LiveChartProps {
  /** What is shown, for screen readers; the newest values are added. */
  label: string
  /** Seconds since 1970, ascending. */
  times: readonly number[]
  series: readonly ChartSeries[]
  format: (value: number) => string
  height?: number
  /** Upper end of the scale at least. */
  minTop?: number
  /** The last so many seconds are shown, whether or not there are values. */
  windowSeconds?: number
  stale?: boolean
  /** Bytes: the scale steps by powers of two. */
  binary?: boolean
  className?: string
}

/** A line chart that is cheap to redraw each second. The library is loaded when the first one is on a page. */
export function LiveChart(props: LiveChartProps) {
  const { label, series, format, height = 150, className, stale } = props
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const newest = useRef(props)
  newest.current = props
  const { resolvedTheme } = useTheme()
  const [at, setAt] = useState<number | null>(null)
  const shape = series.map((one) => `${one.label}${one.color}${one.limit ?? ''}`).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme has new colours, a new shape new series; values go through setData below
  useEffect(() => {
    const element = holder.current
    if (!element) return
    let gone = false
    let watch: ResizeObserver | undefined
    void import('uplot').then(({ default: UPlot }) => {
      if (gone) return
      plot.current = new UPlot(chartOptions(element, newest, height, setAt), chartData(newest.current), element)
      watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }))
      watch.observe(element)
    })
    return () => {
      gone = true
      watch?.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape, resolvedTheme, height])
  useEffect(() => {
    plot.current?.setData(chartData(props))
  }, [props])
  const index = at ?? props.times.length - 1
  return (
    <figure className={cn('min-w-0', stale && 'opacity-50 grayscale', className)}>
      <figcaption className="mb-1 flex flex-wrap items-center gap-x-4 gap-y-0.5 text-xs">
        {series.map((one) => {
          const value = one.values[index]
          return (
            <span key={one.label} className="inline-flex items-center gap-1.5 text-ink-3">
              <svg viewBox="0 0 10 4" className="h-1 w-2.5" aria-hidden="true">
                <path d="M0 2h10" stroke={`var(${one.color})`} strokeWidth="3" strokeDasharray={one.limit ? '3 2' : undefined} />
              </svg>
              {one.label}
              <span className="tabular font-medium text-ink">{value === null || value === undefined ? '–' : format(value)}</span>
            </span>
          )
        })}
      </figcaption>
      <div
        ref={holder}
        role="img"
        aria-label={`${label}: ${spoken(props)}`}
        className="relative w-full overflow-hidden [&_.u-wrap]:font-sans"
        style={{ height }}
      />
    </figure>
  )
}

function spoken({ series, format }: LiveChartProps): string {
  return series
    .map((one) => {
      const value = one.values.at(-1)
      return `${one.label} ${value === null || value === undefined ? '–' : format(value)}`
    })
    .join(', ')
}

function chartData({ times, series }: LiveChartProps): uPlot.AlignedData {
  return [times as number[], ...series.map((one) => one.values as number[])]
}

const powersOfTwo = Array.from({ length: 50 }, (_, power) => 2 ** power)

/** `14:05`, with seconds where they are not zero. */
function clockText(seconds: number): string {
  const date = new Date(seconds * 1000)
  const two = (value: number) => `${value}`.padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}${date.getSeconds() ? `:${two(date.getSeconds())}` : ''}`
}

function chartOptions(
  element: HTMLElement,
  props: { current: LiveChartProps },
  height: number,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(name).trim()
  const grid = { stroke: token('--line'), width: 1 }
  const font = `11px ${style.fontFamily}`
  return {
    width: element.clientWidth,
    height,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
    scales: {
      x: {
        time: true,
        range: (_chart, min, max) => {
          const seconds = props.current.windowSeconds
          const end = max ?? Date.now() / 1000
          return seconds ? [end - seconds, end] : [min ?? end - 60, end]
        },
      },
      y: { range: (_chart, _min, max) => [0, Math.max(props.current.minTop ?? 0, (max ?? 0) * 1.12) || 1] },
    },
    axes: [
      {
        stroke: token('--ink-3'),
        grid,
        ticks: { show: false },
        font,
        size: 22,
        gap: 4,
        space: 76,
        // One that does not fit beside the edge is left out instead of cut.
        values: (chart, values) =>
          values.map((value) => (chart.valToPos(value, 'x') > chart.bbox.width / devicePixelRatio - halfClock ? '' : clockText(value))),
      },
      {
        stroke: token('--ink-3'),
        grid,
        ticks: { show: false },
        font,
        size: 66,
        gap: 4,
        space: 34,
        ...(props.current.binary ? { incrs: powersOfTwo } : {}),
        values: (_chart, values) => values.map((value) => props.current.format(value)),
      },
    ],
    series: [
      {},
      ...props.current.series.map((one): uPlot.Series => {
        const stroke = token(one.color)
        return one.limit
          ? { label: one.label, stroke, width: 1, dash: [4, 3], points: { show: false } }
          : {
              label: one.label,
              stroke,
              width: 1.5,
              fill: `color-mix(in oklch, ${stroke} 12%, transparent)`,
              points: { show: false },
              spanGaps: false,
            }
      }),
    ],
  }
}
