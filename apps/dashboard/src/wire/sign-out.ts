import { dashboardClient } from './dashboard.ts'

/** A page that is on its way has this long before it is asked for once more. */
const leavingMs = 15_000
let leftAt = Number.NEGATIVE_INFINITY

/**
 * Goes to the sign-in, and from there back to this page: for a session that has ended by itself or by somebody else. Pages that are for people without a session stay. Asked for once: each further
 * call would break off the way there, and a page with many questions is told many times.
 */
export function leaveForSignIn(): void {
  const { pathname, search } = window.location
  if (/^\/(sign-in|setup|invite)(\/|$)/.test(pathname)) return
  if (performance.now() - leftAt < leavingMs) return
  leftAt = performance.now()
  window.location.assign(`/sign-in?next=${encodeURIComponent(pathname + search)}`)
}

/**
 * Ends this browser's session and goes to the sign-in, whoever comes next begins at the beginning. The page's connections hear of the end too, before or after the answer: from here on they do not
 * send it elsewhere.
 * @throws what the server refused it with; then the page stays as it was
 */
export async function signOut(): Promise<void> {
  leftAt = performance.now()
  try {
    await dashboardClient().session.signOut.mutate()
  } catch (error) {
    leftAt = Number.NEGATIVE_INFINITY
    throw error
  }
  leftAt = performance.now()
  window.location.assign('/sign-in')
}
