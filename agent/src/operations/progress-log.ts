import type { OperationProgress } from '@berth/contract/operation'

const maxParts = 2000
const maxText = 2000
const maxTextBytes = 512 * 1024

/**
 * What a late viewer needs of an operation's progress, bounded: the newest line of each id in order of first appearance, and the newest text lines
 * (build output) at the place where they came.
 */
export class ProgressLog {
  private readonly lines = new Map<string | number, OperationProgress>()
  private counter = 0
  private textBytes = 0
  private readonly texts: { key: number; bytes: number }[] = []

  add(line: OperationProgress): void {
    if (line.id !== undefined) {
      if (this.lines.has(line.id) || this.lines.size < maxParts + maxText) this.lines.set(line.id, line)
      return
    }
    this.counter += 1
    const bytes = (line.text?.length ?? 0) + (line.status?.length ?? 0) + 32
    this.lines.set(this.counter, line)
    this.texts.push({ key: this.counter, bytes })
    this.textBytes += bytes
    while (this.texts.length > maxText || this.textBytes > maxTextBytes) {
      const oldest = this.texts.shift()
      if (!oldest) break
      this.lines.delete(oldest.key)
      this.textBytes -= oldest.bytes
    }
  }

  list(): OperationProgress[] {
    return [...this.lines.values()]
  }
}
