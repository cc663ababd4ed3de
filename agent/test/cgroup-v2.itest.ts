/** The engine on a pure cgroup v2 machine (Debian's kernel 6.1, software emulation): what differs from version 1, in one boot. */
import { it } from 'vitest'
import { expectGuestChecks, guestTestTimeoutMs } from './guest-checks.ts'

it('limits, measures, updates, freezes and stops by the unified hierarchy', { timeout: guestTestTimeoutMs }, () =>
  expectGuestChecks('cgroup-v2-guest.ts', 9),
)
