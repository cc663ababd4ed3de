import { mkdirSync } from 'node:fs'
import { openApi } from './api/server.ts'
import type { AgentConfig } from './config.ts'
import { openEngine } from './engine.ts'
import { openDockerDoor } from './engine-api/server.ts'
import type { Logger } from './log.ts'

/** The engine and its two doors. A failure while opening closes what was open already. */
export async function openAgent(config: AgentConfig, log: Logger): Promise<{ close(): Promise<void> }> {
  mkdirSync(config.runRoot, { recursive: true, mode: 0o711 })
  const engine = await openEngine(config, log)
  const doors: { close(): Promise<void> }[] = []
  const close = async () => {
    await Promise.all(doors.map((door) => door.close()))
    await engine.close()
  }
  try {
    const api = await openApi(engine, log)
    doors.push(api)
    const docker = await openDockerDoor(engine, log)
    doors.push(docker)
    log.info({ addresses: [...api.addresses, docker.address] }, 'ready')
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}
