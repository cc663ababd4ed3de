import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    ['BERTH_ADDRESS_POOLS', ''],
    ['BERTH_RUN', `/${'x'.repeat(60)}`],
    ['BERTH_DOCKER_SOCKET', `/${'x'.repeat(107)}`],
  ])('refuses %s=%s by name', (name, value) => {
    expect(() => load({ [name]: value })).toThrow(`${name} is "${value}" but must be`)
  })

  it.each([
    ['{"policy":{"readonly":true}}', 'Unrecognized key: "readonly"'],
    ['{"policy":{"bindSources":["relative"]}}', 'policy.bindSources is "relative" but must be an absolute path'],
    ['{"logMaxSize":1}', 'Unrecognized key: "logMaxSize"'],
    ['nonsense', 'is not JSON'],
  ])('refuses the file %s', (text, reason) => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-config-'))
    try {
      writeFileSync(join(directory, 'agent.json'), text)
      expect(() => load({ BERTH_CONFIG: join(directory, 'agent.json') })).toThrow(reason)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
