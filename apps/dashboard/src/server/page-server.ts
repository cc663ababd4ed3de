/** What a page may know of who asks for it. */
export interface PagePerson {
  id: string
  name: string
  email: string
}
export interface PageServer {
  personOf(cookieHeader: string, secure: boolean): Promise<PagePerson | null>
  setupNeeded(): Promise<boolean>
}

const key = Symbol.for('berth.dashboard.pages')
/** Next.js bundles pages apart from the server around it: the two meet on globalThis alone. */
const shared = globalThis as { [key]?: PageServer }

export function sharePageServer(server: PageServer): void {
  shared[key] = server
}

export function pageServer(): PageServer {
  const found = shared[key]
  if (!found) throw new Error('pages are served by server.ts alone')
  return found
}
