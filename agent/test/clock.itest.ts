/** Containers on a machine whose clock is set by hours, in one boot of a machine of its own. */
import { it } from 'vitest'
import { expectGuestChecks, guestTestTimeoutMs } from './guest-checks.ts'

it('logs, health checks, restarts, statistics and events bear a clock that is set', { timeout: guestTestTimeoutMs }, () =>
  expectGuestChecks('clock-guest.ts', 7),
)
