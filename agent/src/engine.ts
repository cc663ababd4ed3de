import type { DiskUsage, SystemInfo } from '@berth/contract/system'
import type { Builder } from './build/build.ts'
import type { AgentConfig } from './config.ts'
import type { Containers } from './containers/containers.ts'
import type { Events } from './events/events.ts'
import type { Images } from './images/images.ts'
import type { Networks } from './networks/networks.ts'
import type { Operations } from './operations/operations.ts'
import type { Registries } from './registry/registries.ts'
import type { Logs, Stats } from './tasks/tasks.ts'
import type { VolumeFiles } from './volumes/files.ts'
import type { Volumes } from './volumes/volumes.ts'

/** All rooms, wired. api/ and engine-api/ see this and nothing behind it. */
export interface Engine {
  config: AgentConfig
  events: Events
  operations: Operations
  images: Images
  registries: Registries
  volumes: Volumes
  volumeFiles: VolumeFiles
  networks: Networks
  containers: Containers
  logs: Logs
  stats: Stats
  builder: Builder
  system: {
    info(): Promise<SystemInfo>
    diskUsage(): Promise<DiskUsage>
  }
  /** A shell on the host itself in a new terminal; ends with the agent. Whether a caller may is the edge's question. */
  openHostTerminal(options: {
    cols: number
    rows: number
    data(bytes: Buffer): void
    exit(exitCode: number, signal: number | null): void
  }): Promise<{
    write(bytes: Uint8Array): void
    resize(cols: number, rows: number): void
    pause(): void
    resume(): void
    close(): void
  }>
  close(): Promise<void>
}
