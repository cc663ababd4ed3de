import type { Line } from './log-buffer'
import type { LogSource, Moment } from './log-reader'

/** `at` of an address: the offset of a line of the first source, or a time; null for anything else. */
export function momentOf(at: string | null): Moment | null {
  if (at === null || at === '') return null
  if (/^\d{1,15}$/.test(at)) return { source: 0, offset: Number(at) }
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? null : { time: time.toISOString() }
}

/** `host/container` of each log that is merged with the first, as `with` of an address. */
export function mergedText(sources: readonly LogSource[]): string {
  return sources.map((source) => `${source.hostId}/${source.container}`).join(',')
}

/** The address of a line: the page of its container, with what it was merged with. */
export function lineAddress(sources: readonly LogSource[], line: Pick<Line, 'source' | 'record'>): string {
  return `${logsAddress([sources[line.source] as LogSource, ...sources.filter((_, index) => index !== line.source)])}&at=${line.record.offset}`
}

/** The address of a log, or of several in one view. */
export function logsAddress([first, ...others]: readonly LogSource[]): string {
  const page = `/h/${encodeURIComponent(first?.hostId ?? '')}/containers/${first?.container ?? ''}?tab=logs`
  return others.length === 0 ? page : `${page}&with=${mergedText(others)}`
}
