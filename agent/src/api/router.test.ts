import { procedurePermissions } from '@berth/contract/permission'
import { describe, expect, it } from 'vitest'
import { agentRouter } from './router.ts'

describe('agentRouter', () => {
  it('has exactly the procedures of the permission table', () => {
    expect(Object.keys(agentRouter._def.procedures).sort()).toEqual(Object.keys(procedurePermissions).sort())
  })
})
