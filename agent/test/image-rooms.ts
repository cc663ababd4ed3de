/** The rooms that images need, wired as the engine wires them, on a data root of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { OperationProgress } from '@berth/contract/operation'
import { createContentStore } from '../src/content/content-store.ts'
import { createEvents } from '../src/events/create-events.ts'
import { createGc } from '../src/gc/create-gc.ts'
import { createImages } from '../src/images/create-images.ts'
import { createLogger } from '../src/log.ts'
import type { OperationContext } from '../src/operations/operations.ts'
import { createRegistries } from '../src/registry/create-registries.ts'
import { createRegistryClient } from '../src/registry/registry-client.ts'
import { createSnapshots } from '../src/snapshots/create-snapshots.ts'

export const nativeDir = process.env.BERTH_NATIVE ?? fileURLToPath(new URL('../../native/build/bin', import.meta.url))

/** A directory for data roots that is on a disk (layers need device nodes and trusted attributes). */
export function makeDataRoot(): string {
  return mkdtempSync('/var/lib/berth-test-')
}

export async function openImageRooms(dataRoot: string, options: { mirrors?: string[]; insecure?: string[] } = {}) {
  const log = createLogger(process.env.BERTH_TEST_LOG ?? 'silent')
  const events = await createEvents({ dataRoot, log })
  const content = await createContentStore({ dataRoot })
  const registry = createRegistryClient({ mirrors: options.mirrors ?? [], insecure: options.insecure ?? [] })
  const registries = await createRegistries({ dataRoot, registry, mirrors: options.mirrors ?? [], log })
  const snapshots = await createSnapshots({ dataRoot, nativeDir, content, log })
  const gc = createGc({ content, snapshots })
  const images = await createImages({
    dataRoot,
    nativeDir,
    content,
    snapshots,
    registry,
    events,
    gc,
    log,
    credentials: (domain) => registries.credentials(domain),
  })
  return {
    events,
    content,
    registry,
    registries,
    snapshots,
    gc,
    images,
    async close() {
      await registry.close()
      await snapshots.close()
      await events.close()
    },
    async destroy() {
      await this.close()
      rmSync(dataRoot, { recursive: true, force: true })
    },
  }
}

/** An operation's context that keeps the progress lines. */
export function testContext(): OperationContext & { lines: OperationProgress[]; abort: () => void } {
  const controller = new AbortController()
  const lines: OperationProgress[] = []
  return { id: 'test', signal: controller.signal, progress: (line) => lines.push(line), lines, abort: () => controller.abort() }
}
