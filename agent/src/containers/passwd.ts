/**
 * Pure: `-u` and `--group-add` against the image's own /etc/passwd and /etc/group (passwd(5), group(5)). Their content is hostile: bounded, parsed by hand,
 * never through a name-service library.
 */
import { EngineError } from '../errors.ts'

export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: number[]
  /** Home directory from passwd, '/' without one. */
  home: string
}

/** More of a passwd or group file is not looked at. */
export const accountFileLimitBytes = 4 * 1024 * 1024
const maxId = 2 ** 31 - 1
const maxGroups = 65536

interface PasswdLine {
  name: string
  uid: number
  gid: number
  home: string
}
interface GroupLine {
  name: string
  gid: number
  members: string[]
}

/** A decimal id, or null when it is a name. @throws EngineError when it is a number out of range */
function numericId(text: string, what: 'uid' | 'gid'): number | null {
  if (!/^-?[0-9]+$/.test(text)) return null
  const id = Number(text)
  if (id < 0 || id > maxId)
    throw new EngineError('invalid_argument', `uids and gids must be in range 0-${maxId}: the ${what} ${text} is not`)
  return id
}

function* lines(text: string): Generator<string[]> {
  for (const line of text.slice(0, accountFileLimitBytes).split('\n')) {
    const trimmed = line.trim()
    if (trimmed && !trimmed.startsWith('#')) yield trimmed.split(':')
  }
}

function fileId(text: string | undefined): number | null {
  const id = Number(text)
  return text !== undefined && /^[0-9]+$/.test(text) && id <= maxId ? id : null
}

function parsePasswd(text: string): PasswdLine[] {
  const result: PasswdLine[] = []
  for (const [name = '', , uidText, gidText, , home = ''] of lines(text)) {
    const uid = fileId(uidText)
    const gid = fileId(gidText)
    // A broken line is nobody's account; the next may be whole.
    if (name && uid !== null && gid !== null) result.push({ name, uid, gid, home })
  }
  return result
}

function parseGroup(text: string): GroupLine[] {
  const result: GroupLine[] = []
  for (const [name = '', , gidText, members = ''] of lines(text)) {
    const gid = fileId(gidText)
    if (name && gid !== null) result.push({ name, gid, members: members.split(',').filter(Boolean) })
  }
  return result
}

/**
 * `user`, `user:group`, `uid`, `uid:gid` or any mix; '' is root.
 * @param passwd text of the image's /etc/passwd, '' when it has none
 * @param groupAdd further groups by name or number
 * @throws EngineError invalid_argument with Docker's sentence `unable to find user X: no matching entries in passwd file`
 */
export function resolveUser(user: string, groupAdd: readonly string[], passwd: string, group: string): ResolvedUser {
  const accounts = parsePasswd(passwd)
  const groups = parseGroup(group)
  const colon = user.indexOf(':')
  const userPart = colon < 0 ? user : user.slice(0, colon)
  const groupPart = colon < 0 ? '' : user.slice(colon + 1)
  const uidNumber = numericId(userPart, 'uid')
  const account =
    accounts.find((line) => (userPart === '' ? line.uid === 0 : line.name === userPart)) ?? accounts.find((line) => line.uid === uidNumber)
  if (!account && userPart !== '' && uidNumber === null)
    throw new EngineError('invalid_argument', `unable to find user ${userPart}: no matching entries in passwd file`)
  const uid = account?.uid ?? uidNumber ?? 0
  const gid = groupPart ? groupId(groupPart, groups) : (account?.gid ?? 0)
  // Membership counts only where no group was asked for, as in Docker.
  const own = account && !groupPart ? groups.filter((line) => line.members.includes(account.name)).map((line) => line.gid) : []
  const added = groupAdd.map((name) => groupId(name, groups, 'Unable'))
  const additionalGids = [...new Set([...(own.length || added.length ? [...own, ...added] : [])])].slice(0, maxGroups)
  return { uid, gid, additionalGids, home: account?.home || '/' }
}

/** Docker writes the sentence with a capital for `--group-add`, without for `--user`. */
function groupId(name: string, groups: GroupLine[], unable = 'unable'): number {
  const number = numericId(name, 'gid')
  const line = groups.find((candidate) => candidate.name === name)
  if (line) return line.gid
  if (number !== null) return number
  throw new EngineError('invalid_argument', `${unable} to find group ${name}: no matching entries in group file`)
}

/** True when no file of the image is needed: ids are numbers and nobody's groups or home are asked for. */
export function isRootUser(user: string): boolean {
  return user === '' || user === '0' || user === 'root' || user === '0:0' || user === 'root:root'
}
