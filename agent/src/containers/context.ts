import { posix } from 'node:path'
import type { AgentConfig } from '../config.ts'
import type { Events } from '../events/events.ts'
import type { Images } from '../images/images.ts'
import type { Logger } from '../log.ts'
import type { Native } from '../native/native.ts'
import type { Networks } from '../networks/networks.ts'
import type { Snapshots } from '../snapshots/snapshots.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Volumes } from '../volumes/volumes.ts'
import type { Container } from './container.ts'
import type { ContainerIndex } from './container-index.ts'
import type { HostFacts } from './host-facts.ts'
import type { RecordStore } from './record.ts'

/** What createContainers is given. */
export interface ContainerDependencies {
  config: AgentConfig
  log: Logger
  native: Native
  events: Events
  images: Images
  snapshots: Snapshots
  volumes: Volumes
  networks: Networks
  tasks: Tasks
}

/** What the room's files share. */
export interface Context extends ContainerDependencies {
  host: HostFacts
  index: ContainerIndex
  store: RecordStore
  paths: ContainerPaths
  /** The agent is going down: exits are left for the next one to find. */
  closed: boolean
  /** Starts a container that is due; the caller holds its turn. */
  start(container: Container): Promise<void>
  /** Publishes with Docker's attributes: name, image, labels. */
  tell(container: Container, action: string, attributes?: Record<string, string>): void
}

/** Where the files of a container are. Ids are hexadecimal, so joining is safe. */
export class ContainerPaths {
  readonly #data: string
  readonly #run: string
  readonly #instance: string
  constructor(config: AgentConfig) {
    this.#data = `${config.dataRoot}/containers`
    this.#run = config.runRoot
    this.#instance = config.instance
  }

  get root(): string {
    return this.#data
  }
  directory(id: string): string {
    return `${this.#data}/${id}`
  }
  rootfs(id: string): string {
    return `${this.#data}/${id}/rootfs`
  }
  logs(id: string): string {
    return `${this.#data}/${id}/logs`
  }
  file(id: string, name: 'hosts' | 'hostname' | 'resolv.conf'): string {
    return `${this.#data}/${id}/${name}`
  }
  /** Volatile. A unix socket's path may have 107 bytes, hence the shortened id. */
  run(id: string): string {
    return `${this.#run}/tasks/${id.slice(0, 32)}`
  }
  get tasksRoot(): string {
    return `${this.#run}/tasks`
  }
  get execsRoot(): string {
    return `${this.#run}/execs`
  }
  exec(id: string): string {
    return `${this.#run}/execs/${id.slice(0, 32)}`
  }
  /** Where a container is in every cgroup hierarchy. */
  cgroup(id: string, parent: string): string {
    // Cleaned as an absolute path: `..` cannot lead out of the hierarchy.
    return posix.join('/', parent ? posix.join('/', parent) : this.#instance, id)
  }
  subpaths(id: string): string {
    return `${this.#run}/subpaths/${id.slice(0, 32)}`
  }
  shm(id: string): string {
    return `${this.#run}/shm/${id.slice(0, 32)}`
  }
}
