import { Access } from '../access/access.ts'
import { Audit, theDashboard } from '../audit/audit.ts'
import type { Data } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import type { Log } from '../log.ts'
import { normalEmail, People } from './people.ts'
import { Sessions } from './sessions.ts'
import { Throttle } from './throttle.ts'

/** A link that somebody at the terminal is about to use. */
const hoursGood = 1

/**
 * A way back in for an account whose password, telephone and recovery codes are all lost, when nobody else is Admin: two-step sign-in is turned off, and a link is made by which a new
 * password is chosen, once. For root on the dashboard's machine, who could read everything anyway; also while the dashboard runs. Recorded in the audit.
 * @param base where the dashboard is reached
 * @returns the link
 * @throws ServerError `not_found`
 */
export async function recoverAccount({ log, ...data }: Data & { log: Log }, email: string, base: URL): Promise<string> {
  const { database } = data
  const wanted = normalEmail(email)
  const person = await database.person.findUnique({ where: { email: wanted } })
  if (!person) {
    const known = (await database.person.findMany({ select: { email: true }, orderBy: { email: 'asc' }, take: 20 })).map((one) => one.email)
    throw new ServerError('not_found', `there is no account "${wanted}"; there are: ${known.join(', ') || 'none'}`)
  }
  const access = await Access.open(database)
  const people = new People(database, access, new Sessions(database, access), new Throttle(database))
  return new Audit(data, log).record({ actor: theDashboard, action: 'account.recovered', subject: wanted }, async () => {
    await people.clearTotp(person.id)
    const { secret } = await people.inviteToReset(person.id, hoursGood, 'root on this machine')
    return `${base.origin}/invite/${secret}`
  })
}
