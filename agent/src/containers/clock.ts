/** RFC 3339 with nine digits, as every time on the wire; the clock gives milliseconds. */
export function now(): string {
  return `${new Date().toISOString().slice(0, -1)}000000Z`
}
