import { timingSafeEqual } from 'node:crypto'
import { ServerError } from '../errors.ts'
import { hashSecret, newSecret } from './secrets.ts'
import { addressKey, type Throttle } from './throttle.ts'

/** The secret that the server prints while it has no account. It lives in memory: each start prints another one. */
export class SetupToken {
  private readonly hash: string
  /** For printing, once. */
  readonly text: string
  constructor(private readonly throttle: Throttle) {
    this.text = newSecret('setup_').slice(0, 26)
    this.hash = hashSecret(this.text)
  }

  /** @throws ServerError `permission_denied`, `resource_exhausted` when it must wait */
  async check(given: string, from: string): Promise<void> {
    const keys = [addressKey('setup', from, 4)]
    await this.throttle.take(keys)
    if (timingSafeEqual(Buffer.from(this.hash), Buffer.from(hashSecret(given.trim())))) return this.throttle.succeed(keys)
    throw new ServerError(
      'permission_denied',
      "this is not the setup token of this start; it stands in the last lines of the server's own output",
    )
  }
}
