import { timingSafeEqual } from 'node:crypto'
import type { Data } from '../data/database.ts'
import { ServerError } from '../errors.ts'
import { verifyPassword } from './passwords.ts'
import { normalEmail } from './people.ts'
import { hashSecret, newRecoveryCode } from './secrets.ts'
import type { Sessions } from './sessions.ts'
import { accountKey, addressKey, personKey, type Throttle } from './throttle.ts'
import { matchTotp, newTotpSecret, totpUri } from './totp.ts'

export interface Client {
  from: string
  userAgent: string
}
export interface SignedIn {
  personId: string
  name: string
  secret: string
  maxAgeMs: number
  next: 'done' | 'code'
}
const recoveryCodes = 10
const wrong = 'the e-mail address or the password is wrong'

/** Password, then a code where the account has one. Every way to be refused looks and lasts the same. */
export class SignIn {
  constructor(
    private readonly data: Data,
    private readonly sessions: Sessions,
    private readonly throttle: Throttle,
  ) {}

  /** @throws ServerError `unauthenticated`, `resource_exhausted` when it must wait */
  async withPassword(input: { email: string; password: string }, client: Client): Promise<SignedIn> {
    const email = normalEmail(input.email)
    const keys = [accountKey(email), addressKey('address', client.from)]
    await this.throttle.take(keys)
    const person = await this.data.database.person.findUnique({ where: { email } })
    const right = await verifyPassword(input.password, person?.passwordHash ?? null)
    if (!person || !right || person.disabledAt) throw new ServerError('unauthenticated', wrong)
    if (person.totpEnabledAt) {
      // The account's count stays until the code was right, too; the address did nothing wrong.
      await this.throttle.succeed(keys.filter((key) => !key.forgiven))
      const session = await this.sessions.begin(person.id, 'totp', client)
      return { personId: person.id, name: person.name, secret: session.secret, maxAgeMs: session.maxAgeMs, next: 'code' }
    }
    await this.throttle.succeed(keys)
    return this.complete(person.id, client)
  }

  /** @param awaiting the cookie of the first step. @throws ServerError as above */
  async withCode(awaiting: string, code: string, client: Client): Promise<SignedIn> {
    const waiting = await this.sessions.resolveAwaitingCode(awaiting)
    if (!waiting) throw new ServerError('unauthenticated', 'the sign-in took too long; begin again with your password')
    const keys = [personKey('code', waiting.personId), addressKey('address', client.from)]
    await this.throttle.take(keys)
    if (!(await this.spendCode(waiting.personId, code)))
      throw new ServerError('unauthenticated', 'the code is wrong or was used already; wait for the next one')
    await this.throttle.succeed([...keys, accountKey(waiting.email)])
    await this.sessions.revoke(waiting.personId, waiting.sessionId)
    return this.complete(waiting.personId, client)
  }

  async complete(personId: string, client: Client): Promise<SignedIn> {
    const session = await this.sessions.begin(personId, 'full', client)
    const { name } = await this.data.database.person.update({ where: { id: personId }, data: { lastSignInAt: new Date() } })
    return { personId, name, secret: session.secret, maxAgeMs: session.maxAgeMs, next: 'done' }
  }

  /** For changes of the account itself. @throws ServerError `permission_denied` */
  async requirePassword(personId: string, password: string): Promise<void> {
    const keys = [personKey('confirm', personId)]
    await this.throttle.take(keys)
    const person = await this.data.database.person.findUnique({ where: { id: personId } })
    if (await verifyPassword(password, person?.passwordHash ?? null)) return this.throttle.succeed(keys)
    throw new ServerError('permission_denied', 'the password is wrong')
  }

  /** A new secret that counts once a code of it was given. @throws ServerError `failed_precondition` */
  async beginTotp(personId: string): Promise<{ secret: string; uri: string }> {
    const person = await this.data.database.person.findUniqueOrThrow({ where: { id: personId } })
    if (person.totpEnabledAt) throw new ServerError('failed_precondition', 'two-step sign-in is on already; turn it off first')
    const secret = newTotpSecret()
    await this.data.database.person.update({
      where: { id: personId },
      data: { totpSecret: this.data.seal.seal(secret, `totp:${personId}`) },
    })
    return { secret, uri: totpUri(secret, person.email) }
  }

  /** @returns recovery codes, for the only time. @throws ServerError `invalid_argument`, `failed_precondition` */
  async confirmTotp(personId: string, code: string): Promise<string[]> {
    const person = await this.data.database.person.findUniqueOrThrow({ where: { id: personId } })
    if (person.totpEnabledAt || !person.totpSecret) throw new ServerError('failed_precondition', 'begin with a new secret')
    const keys = [personKey('code', personId)]
    await this.throttle.take(keys)
    const step = matchTotp(this.data.seal.open(person.totpSecret, `totp:${personId}`), code, 0)
    if (step === null) throw new ServerError('invalid_argument', "the code is not right; is the telephone's clock?")
    await this.throttle.succeed(keys)
    const codes = Array.from({ length: recoveryCodes }, newRecoveryCode)
    await this.data.database.person.update({
      where: { id: personId },
      data: { totpEnabledAt: new Date(), totpLastStep: step, recoveryCodes: JSON.stringify(codes.map(hashSecret)) },
    })
    return codes
  }

  /** A code of the app, or a recovery code, which is then gone. */
  private async spendCode(personId: string, code: string): Promise<boolean> {
    const { database, seal } = this.data
    const person = await database.person.findUnique({ where: { id: personId } })
    if (!person?.totpSecret || !person.totpEnabledAt) return false
    const step = matchTotp(seal.open(person.totpSecret, `totp:${personId}`), code, person.totpLastStep)
    if (step !== null) {
      // Of two requests with the same code one finds the step taken.
      const { count } = await database.person.updateMany({
        where: { id: personId, totpLastStep: { lt: step } },
        data: { totpLastStep: step },
      })
      return count === 1
    }
    const left = JSON.parse(person.recoveryCodes) as string[]
    const given = Buffer.from(hashSecret(code.replaceAll(/\s/g, '').toLowerCase()))
    const remaining = left.filter((hash) => !timingSafeEqual(Buffer.from(hash), given))
    if (remaining.length === left.length) return false
    const { count } = await database.person.updateMany({
      where: { id: personId, recoveryCodes: person.recoveryCodes },
      data: { recoveryCodes: JSON.stringify(remaining) },
    })
    return count === 1
  }
}
