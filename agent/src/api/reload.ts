import { request } from 'node:http'
import { join } from 'node:path'

/** Tells a running agent that its identity on disk is new. False when none runs. @throws what the agent answered */
export function askReload(runRoot: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(runRoot, 'agent.sock'), path: '/identity/reload', method: 'POST' }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve(true)
      else
        reject(new Error(`the running agent could not take the new identity (HTTP ${response.statusCode}); its log says why, restart it`))
    })
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false)
      else reject(error)
    })
    asked.end()
  })
}
