import type { Duplex } from 'node:stream'

/** The document that berth-monitor reads on stdin, word for word as native/README.md has it. */
export interface MonitorDocument {
  version: 1
  kind: 'container' | 'exec'
  id: string
  containerId: string
  runtime: { path: string; root: string; args: string[] }
  bundle: string
  stateDir: string
  runDir: string
  cgroup: string
  rootfs?: {
    mounts: { type: string; source: string; target: string; options: string[] }[]
    idmap?: { uidMappings: IdMapping[]; gidMappings: IdMapping[] }
  }
  terminal: { cols: number; rows: number } | null
  stdin: 'open' | 'once' | 'closed'
  log: { dir: string; maxSizeBytes: number; maxFiles: number } | null
  replayBytes: number
  attachFds: number[]
  network?: {
    attachments: {
      bridge: string
      hostName: string
      containerName: string
      mac: string
      addresses: string[]
      gateways: string[]
      mtu: number
      /** From the other isolated ports of the bridge. */
      isolated?: boolean
    }[]
    /** Whom 127.0.0.11 inside stands for, IPv4. */
    nameServer?: string
    ports: { proto: 'tcp' | 'udp'; hostIp: string; hostPort: number; containerIp: string; containerPort: number }[]
  }
  exec?: { processFile: string }
  deleteOnExit: boolean
}

export interface IdMapping {
  containerID: number
  hostID: number
  size: number
}

/** A monitor that stays: its answer, and our ends of the sockets it got as attachFds. */
export interface StartedMonitor {
  monitorPid: number
  pid: number
  /** Field 22 of /proc/PID/stat. */
  startTime: string
  startedAt: string
  sockets: Duplex[]
}

/** `runDir/monitor.json`. */
export interface MonitorFile {
  monitorPid: number
  monitorStartTime: string
  pid: number
  startTime: string
  startedAt: string
}
