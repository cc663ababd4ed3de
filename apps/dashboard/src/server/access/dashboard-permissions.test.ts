import { dataPermissions, procedurePermissions, streamPermissions } from '@berth/contract/permission'
import { clientEventNames } from '@berth/contract/stream'
import { expect, it } from 'vitest'
import { dashboardRouter } from '../api/router.ts'
import { relayedClientEvents } from '../links/upstream-streams.ts'
import { permissionOfDataRoute, permissionOfEvent, permissionOfProcedure } from '../relay/host-permissions.ts'
import { dashboardPermissions } from './dashboard-permissions.ts'

// The agent's package has no runtime entry: its router is read from its source, here in a test alone.
async function agentProcedures(): Promise<string[]> {
  const { agentRouter } = (await import(/* @vite-ignore */ `${import.meta.dirname}/../../../../../agent/src/api/router.ts`)) as {
    agentRouter: { _def: { procedures: object } }
  }
  return Object.keys(agentRouter._def.procedures).sort()
}

it('has a line for every procedure of the dashboard, and none besides', () => {
  expect(Object.keys(dashboardRouter._def.procedures).sort()).toEqual(Object.keys(dashboardPermissions).sort())
})

it('has a line for every procedure of the agent, and none besides', async () => {
  expect(await agentProcedures()).toEqual(Object.keys(procedurePermissions).sort())
})

it('has a line for every socket event, and the gateway relays exactly those', () => {
  expect([...clientEventNames].sort()).toEqual(Object.keys(streamPermissions).sort())
  expect([...relayedClientEvents].sort()).toEqual(Object.keys(streamPermissions).sort())
})

it('lets every change of the dashboard be done by somebody who was identified, but for signing in', () => {
  const open = Object.entries(dashboardRouter._def.procedures)
    .filter(
      ([name, procedure]) =>
        (procedure as unknown as { _def: { type: string } })._def.type === 'mutation' &&
        dashboardPermissions[name as keyof typeof dashboardPermissions] === 'public',
    )
    .map(([name]) => name)
  expect(open.sort()).toEqual(['invitations.accept', 'session.confirmCode', 'session.signIn', 'session.signOut', 'setup.create'])
})

it('refuses what is not in a table', () => {
  expect(() => permissionOfProcedure('containers.explode')).toThrow(/no procedure/)
  expect(() => permissionOfProcedure('toString')).toThrow(/no procedure/)
  expect(() => permissionOfDataRoute('GET', '../trpc/system.info')).toThrow(/no data route/)
  expect(permissionOfDataRoute('PUT', 'files/content').needed).toBe(dataPermissions['PUT files/content'])
})

it('asks more for a shell on the host than for one in a container', () => {
  expect(permissionOfEvent('terminal.open', { target: { exec: 'x' } })).toBe('shell')
  expect(permissionOfEvent('terminal.open', { target: { hostConsole: '' } })).toBe('host-console')
})
