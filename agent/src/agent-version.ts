import agentPackage from '../package.json' with { type: 'json' }

/** Version of the agent, from its package (put into the bundle when it is built). */
export function readAgentVersion(): string {
  return agentPackage.version
}
