/**
 * What the agent is told by environment and by the file `$BERTH_CONFIG` (default `/etc/berth/agent.json`; the environment wins). The table in
 * the README lists the same settings; loadConfig is the only reader of process.env in the agent.
 */
export interface AgentConfig {
  /** Prefix for everything global on the host: bridge `<instance>0`, nftables table, cgroup `/<instance>`. BERTH_INSTANCE, default `berth`. */
  instance: string
  /** Durable state. BERTH_DATA, default /var/lib/berth. */
  dataRoot: string
  /** Sockets and volatile state. BERTH_RUN, default /run/berth. */
  runRoot: string
  /** mTLS port for dashboards. BERTH_AGENT_PORT, default 7443. */
  port: number
  /** Address to listen on. BERTH_AGENT_HOST, default 0.0.0.0 when enrolled, else 127.0.0.1. */
  host: string
  /** Engine API socket, `$BERTH_RUN/docker.sock`. */
  dockerSocket: string
  /** Group that may use it (`docker` if it exists), mode 0660. BERTH_SOCKET_GROUP. */
  dockerSocketGroup: string
  /** BERTH_REGISTRY_MIRRORS, comma separated URLs, tried before Docker Hub. */
  registryMirrors: string[]
  /** BERTH_INSECURE_REGISTRIES, comma separated host[:port] or CIDR; loopback is always in. */
  insecureRegistries: string[]
  /** Directory of the native programs. BERTH_NATIVE, default native/build/bin beside the agent. */
  nativeDir: string
  /** Another OCI runtime instead of berth-runtime. BERTH_RUNTIME. */
  runtimePath: string
  /** BERTH_LOG_LEVEL, default info. */
  logLevel: string
  /** First address pools for bridges; those that the host uses already are passed over. BERTH_ADDRESS_POOLS, `172.17.0.0/12:16,…` */
  addressPools: { base: string; size: number }[]
  /** BERTH_IPV6, `auto` gives the default bridge a ULA subnet only when asked. */
  policy: { readOnly: boolean; noExec: boolean; noHostConsole: boolean; noPrivileged: boolean; bindSources: string[] | null }
  /** Default log options for containers. */
  logMaxSizeBytes: number
  logMaxFiles: number
  /** BERTH_METRICS: also serve /metrics and /healthz on this loopback port without a certificate; 0 = only under mTLS and on the unix socket. */
  metricsPort: number
}
