/** Signal names of signal(7) on Linux, x86 and ARM numbering. */
import { EngineError } from '../errors.ts'

const names =
  `HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS`.split(
    ' ',
  )
const aliases: Record<string, string> = { IOT: 'ABRT', POLL: 'IO', CLD: 'CHLD' }

/** `SIGTERM`, `term`, `15`, `RTMIN+3`. @throws EngineError invalid_argument `Invalid signal: X` */
export function signalNumber(text: string): number {
  const bad = () => new EngineError('invalid_argument', `Invalid signal: ${text}`)
  if (/^\d+$/.test(text)) {
    const number = Number(text)
    if (number < 1 || number > 64) throw bad()
    return number
  }
  const name = text.toUpperCase().replace(/^SIG/, '')
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (realtime) {
    const base = realtime[1] === 'MIN' ? 34 : 64
    const number = base + (realtime[2] === '-' ? -1 : 1) * Number(realtime[3] ?? 0)
    if (number < 34 || number > 64) throw bad()
    return number
  }
  const index = names.indexOf(aliases[name] ?? name)
  if (index < 0) throw bad()
  return index + 1
}

/** `SIGKILL` for 9; `SIGRTMIN+1` style for real-time signals. */
export function signalName(number: number): string {
  const name = names[number - 1]
  if (name) return `SIG${name}`
  return number >= 34 && number <= 64 ? `SIGRTMIN+${number - 34}` : String(number)
}
