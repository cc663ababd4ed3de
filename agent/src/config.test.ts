import { describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'

/** Without the machine's own file. */
const load = (env: Record<string, string>) => loadConfig({ BERTH_CONFIG: undefined, ...env } as NodeJS.ProcessEnv)

describe('loadConfig', () => {
  it('has defaults that need no settings', () => {
    expect(load({})).toMatchObject({ instance: 'berth', dataRoot: '/var/lib/berth', port: 7443, metricsPort: 0 })
    expect(load({ BERTH_ADDRESS_POOLS: '10.0.0.0/8:24, 10.1.0.0/16:16' }).addressPools).toEqual([
      { base: '10.0.0.0/8', size: 24 },
      { base: '10.1.0.0/16', size: 16 },
    ])
  })

  it.each([
    ['BERTH_INSTANCE', 'Has-Upper'],
    ['BERTH_DATA', 'relative'],
    ['BERTH_AGENT_PORT', '0'],
    ['BERTH_METRICS_PORT', '70000'],
    ['BERTH_LOG_LEVEL', 'loud'],
    ['BERTH_LOG_MAX_FILES', '0'],
    ['BERTH_POLICY', 'anything'],
    ['BERTH_ADDRESS_POOLS', '300.0.0.0/8:16'],
    ['BERTH_ADDRESS_POOLS', '10.0.0.0/16:8'],
    ['BERTH_ADDRESS_POOLS', '10.0.0.0/16:32'],
  ])('refuses %s=%s by name', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(`${name} is "${value}" but must be`)
  })
})
