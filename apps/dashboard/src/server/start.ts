import { join } from 'node:path'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import next from 'next'
import { dashboardRouter } from './api/router.ts'
import { openData } from './data/database.ts'
import { openAuthority } from './hosts/authority.ts'
import { createListener } from './http/listener.ts'
import { setPagePolicy, setSecurityHeaders } from './http/security-headers.ts'
import { createLog } from './log.ts'
import { loadSettings } from './settings.ts'

export interface Dashboard {
  port: number
  close(): Promise<void>
}

/** Builds every room of the server, wires them and listens. @throws ServerError or the system's error when a setting, the data or the port cannot be used */
export async function startDashboard(options: { applicationRoot: string; development: boolean }): Promise<Dashboard> {
  const settings = loadSettings(process.env)
  const log = createLog(settings.logLevel)
  const data = await openData(settings.dataRoot, join(options.applicationRoot, '../../prisma/sqlite/migrations'))
  const authority = await openAuthority(data)
  const pages = next({ dev: options.development, dir: options.applicationRoot, customServer: true })
  const trpc = createHTTPHandler({
    router: dashboardRouter,
    basePath: '/api/trpc/',
    createContext: () => ({ setupNeeded: async () => (await data.database.person.count()) === 0 }),
  })
  const { key, certificate } = authority.https()
  const listener = createListener(
    (request, response) => {
      setSecurityHeaders(response, { secure: 'encrypted' in request.socket })
      if (request.url?.startsWith('/api/trpc/')) {
        trpc(request, response)
        return
      }
      setPagePolicy(request, response, options.development)
      void pages.getRequestHandler()(request, response)
    },
    { key, cert: certificate },
  )
  await pages.prepare()
  const port = await listener.listen(settings.port, settings.host)
  log.info({ port }, 'the dashboard listens')
  return {
    port,
    close: async () => {
      await listener.close()
      await pages.close()
      await data.close()
    },
  }
}
