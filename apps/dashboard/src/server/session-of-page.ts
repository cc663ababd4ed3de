import { cookies, headers } from 'next/headers'
import { type PagePerson, pageServer } from './page-server.ts'

/** Who is signed in, in a server component; null: nobody. */
export async function currentPerson(): Promise<PagePerson | null> {
  const secure = (await headers()).get('x-berth-secure') === '1'
  return pageServer().personOf((await cookies()).toString(), secure)
}

/** Whether the first account is still to be made. */
export function setupNeeded(): Promise<boolean> {
  return pageServer().setupNeeded()
}
