import { visibleText } from './visible-text'

/** A piece of a line that looks the same throughout. Colours: 0–15 of the terminal's palette, or `#rrggbb`. */
export interface AnsiSpan {
  text: string
  color: number | string | null
  ground: number | string | null
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
}

type Look = Omit<AnsiSpan, 'text'>
const plain: Look = { color: null, ground: null, bold: false, dim: false, italic: false, underline: false }

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escape sequences that programs write
const escapes = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~])/g

/** Cuts a line at its colour sequences; every other escape sequence is dropped, and what would not be seen is made visible. */
export function readAnsi(text: string): AnsiSpan[] {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
  if (!line.includes('\u001b')) return [{ text: visibleText(line), ...plain }]
  const spans: AnsiSpan[] = []
  let look = plain
  let at = 0
  const take = (end: number) => {
    if (end > at) spans.push({ text: visibleText(line.slice(at, end)), ...look })
  }
  for (const match of line.matchAll(escapes)) {
    take(match.index)
    at = match.index + match[0].length
    if (match[2] === 'm') look = applyCodes(look, (match[1] || '0').split(/[;:]/).map(Number))
  }
  take(line.length)
  return spans
}

/** The line's words alone. */
export function stripAnsi(text: string): string {
  return readAnsi(text)
    .map((span) => span.text)
    .join('')
}

function applyCodes(before: Look, codes: number[]): Look {
  let look = { ...before }
  const queue = [...codes]
  for (let code = queue.shift(); code !== undefined; code = queue.shift()) {
    if (code === 0) look = { ...plain }
    else if (code === 1) look.bold = true
    else if (code === 2) look.dim = true
    else if (code === 3) look.italic = true
    else if (code === 4) look.underline = true
    else if (code === 7) [look.color, look.ground] = [look.ground ?? 0, look.color ?? 7]
    else if (code === 22) look = { ...look, bold: false, dim: false }
    else if (code === 23) look.italic = false
    else if (code === 24) look.underline = false
    else if (code === 39) look.color = null
    else if (code === 49) look.ground = null
    else if (code === 38) look.color = longColor(queue) ?? look.color
    else if (code === 48) look.ground = longColor(queue) ?? look.ground
    else if (code >= 30 && code <= 37) look.color = code - 30
    else if (code >= 40 && code <= 47) look.ground = code - 40
    else if (code >= 90 && code <= 97) look.color = code - 82
    else if (code >= 100 && code <= 107) look.ground = code - 92
  }
  return look
}

/** What follows a 38 or a 48: `5;N` of 256 colours, or `2;R;G;B`. Takes its numbers out of the queue. */
function longColor(queue: number[]): number | string | null {
  const kind = queue.shift()
  if (kind === 5) {
    const index = queue.shift() ?? 0
    if (index < 16) return index
    if (index >= 232) return hex(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10)
    const steps = [0, 95, 135, 175, 215, 255]
    const cube = index - 16
    return hex(steps[Math.floor(cube / 36)] ?? 0, steps[Math.floor(cube / 6) % 6] ?? 0, steps[cube % 6] ?? 0)
  }
  if (kind === 2) return hex(queue.shift() ?? 0, queue.shift() ?? 0, queue.shift() ?? 0)
  return null
}

function hex(...parts: number[]): string {
  return `#${parts
    .map((part) =>
      Math.min(255, Math.max(0, part || 0))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}
