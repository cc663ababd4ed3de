import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { containerOptions } from '@berth/contract/container'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLogger } from '../log.ts'
import { type ContainerRecord, containerRecord, RecordStore } from './record.ts'

const log = createLogger('silent')
const id = 'a'.repeat(64)
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-records-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const record = (exitCode: number): ContainerRecord =>
  containerRecord.parse({
    version: 1,
    id,
    name: 'one',
    createdAt: '2026-01-01T00:00:00Z',
    options: containerOptions.parse({ image: 'busybox' }),
    effective: {
      command: ['true'],
      entrypoint: [],
      cmd: ['true'],
      env: [],
      user: '',
      workingDir: '',
      hostname: '',
      labels: {},
      exposedPorts: [],
      volumes: [],
      stopSignal: '',
      healthcheck: null,
    },
    image: { id: 'x', reference: 'busybox', chainId: null, platform: { os: 'linux', architecture: 'amd64' } },
    mounts: [],
    networks: {},
    idmap: null,
    state: {
      status: 'exited',
      paused: false,
      manuallyStopped: false,
      bootId: '',
      exitCode,
      signal: null,
      oomKilled: false,
      error: '',
      startedAt: null,
      finishedAt: null,
      restartCount: 0,
    },
  })
const load = async () => (await new RecordStore(root).load(log)).map(({ state }) => state.exitCode)

it('takes the newer of what is durable and what is recent, and does without a recent one that a power cut has emptied', async () => {
  const store = new RecordStore(root)
  await store.createDirectory(id)
  await store.save(record(1), true)
  await store.save(record(2), false)
  expect(await load()).toEqual([2])
  const again = new RecordStore(root)
  await again.load(log)
  await again.save(record(3), true)
  expect(await load()).toEqual([3])
  await again.save(record(4), false)
  for (const emptied of ['', '{"revision":99', '\0\0\0\0']) {
    writeFileSync(join(root, id, 'recent.json'), emptied)
    expect(await load()).toEqual([3])
  }
})
