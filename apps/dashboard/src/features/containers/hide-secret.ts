const secretName =
  /pass(word|wd|phrase)?$|pass(word|wd)?_|secret|token|credential|(api|access|private|signing|encryption|auth)_?key|_key$|_auth$|_pwd$/i
const cover = '••••••'

/** `NAME=value` with a value that looks secret covered: by its name, or the password inside an address. What only names a file stays. */
export function hideSecret(variable: string): string {
  const at = variable.indexOf('=')
  if (at < 0 || at === variable.length - 1) return variable
  const name = variable.slice(0, at)
  const value = variable.slice(at + 1)
  if (secretName.test(name) && !/_(file|path|dir)$/i.test(name)) return `${name}=${cover}`
  return `${name}=${value.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+@/gi, `$1${cover}@`)}`
}
