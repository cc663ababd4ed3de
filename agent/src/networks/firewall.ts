import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import type { Logger } from '../log.ts'
import { openProgram, runProgram } from '../native/programs.ts'

/** A bridge as the firewall sees it. */
export interface FirewalledBridge {
  device: string
  subnets4: string[]
  subnets6: string[]
  internal: boolean
  masquerade: boolean
}

/** One published port of one container address. `hostIp` '' = every address of the host. */
export interface Redirect {
  family: 4 | 6
  proto: 'tcp' | 'udp'
  hostIp: string
  hostPort: number
  ip: string
  port: number
}

/**
 * Our one nftables table, `inet <instance>`; nobody else's rules are touched. It holds the whole of what we do to packets:
 * - published ports: destination rewriting for what comes from outside and for what this host sends to itself, loopback too. Traffic from our own bridges is not rewritten:
 *   it reaches the monitor's listening socket, which relays it, so neither hairpins nor a foreign firewall's forward policy matter to it;
 * - masquerading of what containers send out, and of what this host sends from 127.0.0.1 to a container;
 * - no forwarding between two bridges, and none at all for an internal one;
 * - nothing that claims a loopback address may come from outside or from a container. route_localnet, which published ports on 127.0.0.1 need, would
 *   otherwise open the host's loopback services to containers.
 */
export class Firewall {
  readonly #table: string
  readonly #log: Logger | undefined
  readonly #state: () => { bridges: FirewalledBridge[]; redirects: Redirect[] }
  #queue: Promise<unknown> = Promise.resolve()
  #watch: { stop(): void } | null = null
  #verifying: NodeJS.Timeout | null = null

  /** @param state everything that must be in the table, asked for at each rebuild */
  constructor(instance: string, state: () => { bridges: FirewalledBridge[]; redirects: Redirect[] }, log?: Logger) {
    this.#table = instance
    this.#state = state
    this.#log = log
  }

  /** Replaces the table in one transaction, so there is no moment without it. */
  rebuild(): Promise<void> {
    return this.#enqueue(async () => {
      const { bridges, redirects } = this.#state()
      await nft(tableText(this.#table, bridges, redirects))
    })
  }

  /** One nft call; if the table is not as it should be (flushed by somebody), the table is rebuilt instead, which includes these. */
  add(redirects: readonly Redirect[]): Promise<void> {
    return this.#change('add', redirects)
  }

  remove(redirects: readonly Redirect[]): Promise<void> {
    return this.#change('delete', redirects)
  }

  #change(verb: 'add' | 'delete', redirects: readonly Redirect[]): Promise<void> {
    if (redirects.length === 0) return Promise.resolve()
    return this.#enqueue(async () => {
      try {
        await nft(redirects.map((redirect) => `${verb} element inet ${this.#table} ${elementOf(redirect, verb === 'add')}`).join('\n'))
      } catch (error) {
        this.#log?.warn({ reason: messageOf(error) }, 'our nftables table was changed by somebody; it is rebuilt')
        const state = this.#state()
        await nft(tableText(this.#table, state.bridges, state.redirects))
      }
    })
  }

  /** Lets go; the table stays for the containers that go on running. */
  async close(): Promise<void> {
    if (this.#verifying) clearTimeout(this.#verifying)
    this.#watch?.stop()
    this.#watch = null
    await this.#queue
  }

  /**
   * Listens to the kernel's notices of rule changes and rebuilds the table when somebody has flushed or changed it. Nothing is polled. When the listening program
   * ends it is started again at the next change of ours.
   */
  watch(): void {
    if (this.#watch) return
    const program = openProgram('nft', ['monitor', 'destroy'])
    const ended = () => {
      this.#watch = null
    }
    this.#watch = { stop: () => program.stdout.destroy() }
    program.done.then(ended, ended)
    program.stdout.on('error', ended)
    const ours = new RegExp(`^delete (table|chain|rule|map|set) inet ${this.#table}( |$)`, 'm')
    let rest = ''
    program.stdout.on('data', (chunk: Buffer) => {
      const text = rest + chunk.toString('utf8')
      rest = text.slice(text.lastIndexOf('\n') + 1).slice(-4096)
      if (ours.test(text)) this.#verifySoon(100)
    })
    // The program says nothing when it has begun to listen: what happened until then is looked for once.
    this.#verifySoon(1500)
  }

  #verifySoon(delayMs: number): void {
    if (this.#verifying) clearTimeout(this.#verifying)
    this.#verifying = setTimeout(() => {
      this.#verifying = null
      this.#verify().catch((error) => this.#log?.error({ err: error }, 'our nftables table could not be checked'))
    }, delayMs).unref()
  }

  /** Our own rebuild is announced too, so the table is looked at before anything is done. */
  #verify(): Promise<void> {
    return this.#enqueue(async () => {
      const { bridges, redirects } = this.#state()
      if (await this.#isWhole(bridges, redirects)) return
      this.#log?.warn({ table: this.#table }, 'our nftables table was flushed or changed by somebody; it is rebuilt')
      await nft(tableText(this.#table, bridges, redirects))
    })
  }

  async #isWhole(bridges: FirewalledBridge[], redirects: Redirect[]): Promise<boolean> {
    const listing = await runProgram('nft', ['-j', 'list', 'table', 'inet', this.#table], { allowedExitCodes: [1] })
    if (listing.exitCode !== 0) return false
    const items = (JSON.parse(listing.stdout) as { nftables: Record<string, { elem?: unknown[] }>[] }).nftables
    const rules = items.filter((item) => 'rule' in item).length
    const elements = items.reduce((sum, item) => sum + ('map' in item ? (item.map?.elem?.length ?? 0) : 0), 0)
    return rules === ruleCount(bridges) && elements === redirects.length
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const next = this.#queue.then(work)
    this.#queue = next.catch(() => {})
    return next
  }
}

async function nft(text: string): Promise<void> {
  await runProgram('nft', ['-f', '-'], { stdin: `${text}\n` })
}

function elementOf({ family, proto, hostIp, hostPort, ip, port }: Redirect, withTarget: boolean): string {
  const target = withTarget ? ` : ${ip} . ${port}` : ''
  return hostIp === '' ? `any${family} { ${proto} . ${hostPort}${target} }` : `at${family} { ${proto} . ${hostIp} . ${hostPort}${target} }`
}

/** Exported for its test: the whole table as nft reads it. */
export function tableText(table: string, bridges: readonly FirewalledBridge[], redirects: readonly Redirect[]): string {
  const map = (name: string, type: string, family: 4 | 6, any: boolean) => {
    const elements = redirects
      .filter((redirect) => redirect.family === family && (redirect.hostIp === '') === any)
      .map((redirect) => elementOf(redirect, true).replace(/^\w+ \{ (.*) \}$/, '$1'))
    return `  map ${name} { type ${type}; ${elements.length ? `elements = { ${elements.join(', ')} };` : ''} }`
  }
  return `add table inet ${table}
delete table inet ${table}
table inet ${table} {
${map('any4', 'inet_proto . inet_service : ipv4_addr . inet_service', 4, true)}
${map('at4', 'inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service', 4, false)}
${map('any6', 'inet_proto . inet_service : ipv6_addr . inet_service', 6, true)}
${map('at6', 'inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service', 6, false)}
${chain('loopback', 'filter hook prerouting priority raw', loopbackRules(bridges))}
${chain('inbound', 'nat hook prerouting priority dstnat', [...fromBridges(bridges), ...redirectRules])}
${chain('local', 'nat hook output priority -100', redirectRules)}
${chain('outbound', 'nat hook postrouting priority srcnat', masqueradeRules(bridges))}
${chain('between', 'filter hook forward priority filter', forwardRules(bridges))}
}`
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return `  chain ${name} {\n    type ${hook}; policy accept;\n${rules.map((rule) => `    ${rule}`).join('\n')}\n  }`
}

const redirectRules = [
  'meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . ip daddr . th dport map @at4',
  'meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @any4',
  'meta nfproto ipv6 ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . ip6 daddr . th dport map @at6',
  'meta nfproto ipv6 ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map @any6',
]

const listOf = (bridges: readonly FirewalledBridge[]) => `{ ${bridges.map((bridge) => `"${bridge.device}"`).join(', ')} }`

function fromBridges(bridges: readonly FirewalledBridge[]): string[] {
  return bridges.length ? [`iifname ${listOf(bridges)} accept`] : []
}

function loopbackRules(bridges: readonly FirewalledBridge[]): string[] {
  return bridges.length ? ['iifname != "lo" ip daddr 127.0.0.0/8 drop', 'iifname != "lo" ip saddr 127.0.0.0/8 drop'] : []
}

function masqueradeRules(bridges: readonly FirewalledBridge[]): string[] {
  return bridges.flatMap(({ device, subnets4, subnets6, internal, masquerade }) => [
    `oifname "${device}" ip saddr 127.0.0.0/8 masquerade`,
    ...(masquerade && !internal ? subnets4.map((subnet) => `oifname != "${device}" ip saddr ${subnet} masquerade`) : []),
    ...(masquerade && !internal ? subnets6.map((subnet) => `oifname != "${device}" ip6 saddr ${subnet} masquerade`) : []),
  ])
}

function forwardRules(bridges: readonly FirewalledBridge[]): string[] {
  if (bridges.length === 0) return []
  const internal = bridges.filter((bridge) => bridge.internal)
  return [
    // With bridge-nf-call-iptables frames inside one bridge come through here too.
    ...bridges.map(({ device }) => `iifname "${device}" oifname "${device}" accept`),
    ...(internal.length ? [`iifname ${listOf(internal)} drop`, `oifname ${listOf(internal)} drop`] : []),
    `iifname ${listOf(bridges)} oifname ${listOf(bridges)} drop`,
  ]
}

function ruleCount(bridges: readonly FirewalledBridge[]): number {
  return [
    ...loopbackRules(bridges),
    ...fromBridges(bridges),
    ...redirectRules,
    ...redirectRules,
    ...masqueradeRules(bridges),
    ...forwardRules(bridges),
  ].length
}

/** Sets a kernel switch under /proc/sys if it has another value. @returns whether it was changed. */
export function setSysctl(name: string, value: string): boolean {
  if ([null, value].includes(readSysctl(name))) return false
  writeFileSync(`/proc/sys/${name}`, value)
  return true
}

/** Null where the kernel has no such switch. */
export function readSysctl(name: string): string | null {
  const path = `/proc/sys/${name}`
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null
}

/**
 * Base chains of other tables that drop what is forwarded: containers then reach the outside only if that firewall lets them. We change nobody's
 * rules; this is said in `info`.
 */
export async function foreignForwardDrops(table: string): Promise<string[]> {
  const { stdout } = await runProgram('nft', ['-j', 'list', 'chains'])
  const items = (
    JSON.parse(stdout) as { nftables: { chain?: { family: string; table: string; name: string; hook?: string; policy?: string } }[] }
  ).nftables
  return items.flatMap(({ chain }) =>
    chain?.hook === 'forward' && chain.policy === 'drop' && chain.table !== table ? [`${chain.family} ${chain.table} ${chain.name}`] : [],
  )
}
