/** How big a terminal is before somebody looks at it. */
import type { ContainerOptions } from '@berth/contract/container'

export interface TerminalSize {
  cols: number
  rows: number
}

/** What the kernel says of a new pseudo-terminal, and Docker of one whose client has told no size: programs fall back to what they think best. */
export const unknownSize: TerminalSize = { cols: 0, rows: 0 }

/** What `create` was told of its client's terminal (`HostConfig.ConsoleSize`, height first), else `unknownSize`. */
export function createdSize({ echoed }: Pick<ContainerOptions, 'echoed'>): TerminalSize {
  const size = echoed?.ConsoleSize
  if (!Array.isArray(size)) return unknownSize
  const [rows = 0, cols = 0] = size
  return { cols: Math.min(cols, 65535), rows: Math.min(rows, 65535) }
}
