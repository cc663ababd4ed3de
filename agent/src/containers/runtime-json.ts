/** What the OCI runtime reads, as text. */
import { randomUUID } from 'node:crypto'

/** Stands for a number that JavaScript has not; nobody outside knows it, so no text of a user can be taken for it. */
const unlimitedMark = randomUUID()

/** JSON in which Infinity is RLIM_INFINITY: the runtime-spec's limits are unsigned 64-bit numbers, of which a double holds only the smaller ones. */
export function runtimeJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => (part === Number.POSITIVE_INFINITY ? unlimitedMark : part)).replaceAll(
    `"${unlimitedMark}"`,
    '18446744073709551615',
  )
}
