import type { Line } from './log-buffer'
import type { LogSource } from './log-reader'

/** Gives the lines to the browser as a file: time, name where several logs are merged, text. */
export function saveShown(lines: readonly Line[], sources: readonly LogSource[]): void {
  const several = sources.length > 1
  const parts = lines.map(({ source, record }) => `${record.at} ${several ? `${sources[source]?.name} ` : ''}${record.text}\n`)
  const url = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${sources.map((source) => source.name).join('+')}.log`.slice(-200)
  link.click()
  URL.revokeObjectURL(url)
}
