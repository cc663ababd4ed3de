import type { AgentInputs } from './agent.ts'
import type { DashboardInputs } from './dashboard.ts'

/**
 * The command line that asks the dashboard for the same as a button does, with an API token (made under Account) in `$BERTH_TOKEN`: for what no other program can be asked. The
 * token needs the permission that the button needs; what a session alone may do has no such line.
 */
export function dashboardCommand<Noun extends keyof DashboardInputs, Verb extends keyof DashboardInputs[Noun] & string>(
  noun: Noun & string,
  verb: Verb,
  input: DashboardInputs[Noun][Verb],
): string {
  return curl(`/api/trpc/${noun}.${verb}`, input)
}

/** The same of one host's agent, through the dashboard. */
export function agentCommand<Noun extends keyof AgentInputs, Verb extends keyof AgentInputs[Noun] & string>(
  hostId: string,
  noun: Noun & string,
  verb: Verb,
  input: AgentInputs[Noun][Verb],
): string {
  return curl(`/api/hosts/${hostId}/trpc/${noun}.${verb}`, input)
}

function curl(path: string, input: unknown): string {
  const body = `'${JSON.stringify(input).replaceAll("'", "'\\''")}'`
  return `curl --fail-with-body -H "Authorization: Bearer $BERTH_TOKEN" -H 'Content-Type: application/json' -d ${body} ${window.location.origin}${path}`
}
