import { readFileSync } from 'node:fs'
import { readAgentVersion } from './agent-version.ts'
import { watchLocalInvitation } from './api/local-invitation.ts'
import { openApi } from './api/server.ts'
import type { AgentConfig } from './config.ts'
import { ensureDirectory } from './disk/files.ts'
import { openEngine } from './engine.ts'
import { serveEngineApi } from './engine-api/server.ts'
import { readEngineId } from './engine-id.ts'
import type { Logger } from './log.ts'
import { ownHeap, trimWhenQuiet } from './trim-heap.ts'

/** The engine and its two doors. A failure while opening closes what was open already. */
export async function openAgent(config: AgentConfig, log: Logger): Promise<{ close(): Promise<void> }> {
  await ensureDirectory(config.runRoot, 0o711)
  const engine = await openEngine(config, log)
  const doors: { close(): Promise<void> }[] = []
  let stopWatching = () => {}
  const stopTrimming = trimWhenQuiet(engine.events, ownHeap())
  const close = async () => {
    stopTrimming()
    stopWatching()
    await Promise.all(doors.map((door) => door.close()))
    await engine.close()
  }
  try {
    const api = await openApi(engine, log)
    doors.push(api)
    doors.push(await serveEngineApi(engine, log, config.dockerSocket, groupId(config.dockerSocketGroup)))
    log.info({ addresses: [...api.addresses, `unix://${config.dockerSocket}`] }, 'ready')
    stopWatching = watchLocalInvitation(config, { engineId: readEngineId(config.dataRoot), agentVersion: readAgentVersion() }, log)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Number of a group of this host; null when it is not there, which leaves the socket to root alone. */
function groupId(name: string): number | null {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  return line ? Number(line.split(':')[2]) : null
}
