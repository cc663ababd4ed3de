/** Why a process could not start, in the words that scripts of Docker users look for. */

/** Verbs of the runtime; what the monitor itself could not do (its ports, its overlay) is no runtime's error. */
const runtimeSteps = new Set(['create', 'start'])

const hint =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'

/** runc puts this in front of everything; ours names only what failed where it is not the program. */
function withStart(message: string): string {
  // A directory is no program; Docker 20.10 does not say which of the two reasons it was.
  const known = message.replace(/^(.*exec: ".*") is a directory: permission denied$/, '$1: permission denied')
  return known.replace(/^(exec failed: )?(?:unable to start container process: )?/, '$1unable to start container process: ')
}

/** The sentence of a start that failed. @param step where, as the native programs name it; undefined when they were not asked */
export function startErrorText(message: string, step: string | undefined): string {
  if (step === 'exec') return `OCI runtime exec failed: ${withStart(message)}: unknown`
  if (step === undefined || !runtimeSteps.has(step)) return message
  const directory = /^chdir to cwd \("(.*)"\) .*: not a directory$/i.exec(message)
  if (directory) return `Cannot mkdir: ${directory[1]} is not a directory`
  const mismatch = /^(mount|create mountpoint) .*not a directory$/.test(message) ? hint : ''
  return `failed to create shim task: OCI runtime create failed: ${withStart(message)}: unknown${mismatch}`
}
