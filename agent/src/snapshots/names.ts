import { randomBytes } from 'node:crypto'

const letters = '0123456789abcdefghijklmnopqrstuv'

/**
 * A fresh directory name of ten characters (50 random bits). Short, because an overlay mount names every layer's directory and a kernel before 6.5 takes
 * one page for all of them.
 */
export function freshName(): string {
  return Array.from(randomBytes(10), (byte) => letters[byte & 31]).join('')
}
