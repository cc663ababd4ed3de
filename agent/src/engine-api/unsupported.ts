import { EngineError } from '../errors.ts'
import { type Call, type Route, sendJson } from './call.ts'

/** What this engine leaves out on purpose, in the words that clients know. */

async function noSwarm(): Promise<void> {
  throw new EngineError(
    'unavailable',
    'This node is not a swarm manager. Berth has no swarm mode; manage several hosts from the dashboard instead.',
  )
}

/** An empty list is the truth, and clients ask for it before everything. */
async function noPlugins(call: Call): Promise<void> {
  if (call.request.method === 'GET' && call.params.length === 0) return sendJson(call, 200, [])
  throw new EngineError('unavailable', 'plugins are not supported by this engine')
}

async function noCheckpoints(call: Call): Promise<void> {
  call.engine.containers.resolveId(call.params[0] as string)
  throw new EngineError('unavailable', 'checkpoints are not supported by this engine')
}

export const unsupportedRoutes: readonly Route[] = [
  ['GET', /^\/plugins$/, noPlugins],
  ['*', /^\/(plugins\/.*)$/, noPlugins],
  ['*', /^\/(?:swarm|services|tasks|nodes|secrets|configs)(?:\/.*)?$/, noSwarm],
  ['*', /^\/containers\/([^/]+)\/checkpoints(?:\/.*)?$/, noCheckpoints],
]
