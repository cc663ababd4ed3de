import { watch } from 'node:fs'
import { lstat, readFile, rm } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import * as z from 'zod'
import type { AgentConfig } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { askReload } from './reload.ts'

const fileName = 'enrol-local.json'
const invitation = z.object({ url: z.url(), token: z.string().min(16), fingerprint: z.string() })

/**
 * Watches for `$BERTH_RUN/enrol-local.json`, which the dashboard of this very machine writes while its agent is no host of it (or can no longer be reached as
 * one), and joins. Only root can write there, so the file speaks for whoever owns the machine. Each invitation is tried once; the file is removed when it worked.
 * @returns the function that stops watching
 */
export function watchLocalInvitation(config: AgentConfig, self: { engineId: string; agentVersion: string }, log: Logger): () => void {
  const path = joinPath(config.runRoot, fileName)
  let tried = ''
  let busy = false
  let again = false
  const look = async (): Promise<void> => {
    const found = await read(path)
    if (!found || found.token === tried) return
    tried = found.token
    const { join } = await import('./join.ts')
    const { hostId } = await join(config, { ...found, address: '127.0.0.1', ...self })
    await rm(path, { force: true })
    await askReload(config.runRoot)
    log.info({ hostId, url: found.url }, 'joined the dashboard of this machine')
  }
  const tryOnce = () => {
    again = busy
    if (busy) return
    busy = true
    look()
      .catch((error: unknown) =>
        log.warn({ reason: messageOf(error), file: path }, 'the invitation of this machine’s dashboard could not be followed'),
      )
      .finally(() => {
        busy = false
        if (again) tryOnce()
      })
  }
  // The kernel tells when the file comes; one that is there already is looked at now.
  const watcher = watch(config.runRoot, { persistent: false }, (_, name) => {
    if (name === fileName) tryOnce()
  })
  watcher.on('error', (error) => log.warn({ reason: messageOf(error) }, 'invitations of this machine’s dashboard are not seen any more'))
  tryOnce()
  return () => watcher.close()
}

/** Null when there is none, or when somebody but root could have written it. */
async function read(path: string): Promise<z.infer<typeof invitation> | null> {
  try {
    const { uid, mode, size } = await lstat(path).then((found) => ({
      uid: found.uid,
      mode: found.isFile() ? found.mode : 0o777,
      size: found.size,
    }))
    if (uid !== 0 || (mode & 0o022) !== 0 || size > 4096) return null
    const parsed = invitation.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
