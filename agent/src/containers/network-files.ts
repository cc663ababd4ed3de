/** /etc/hosts, /etc/hostname and /etc/resolv.conf of one run: written on the host, bound into the container, where it may edit them. */
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { isMissing } from '../disk/files.ts'
import type { NetworkLease } from '../networks/networks.ts'
import { containerResolvConf } from '../networks/resolv-conf.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { settleAll } from './settle-all.ts'
import type { NamespacePaths } from './spec.ts'
import type { MountFacts } from './spec-mounts.ts'

const localHosts: [string, string][] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
]

/** Writes the files and names them; a container in another's network uses the other's. */
export async function networkFiles(
  context: Context,
  { id, record }: Container,
  lease: NetworkLease | null,
  _join: NamespacePaths,
): Promise<MountFacts['files']> {
  const { options, effective } = record
  if (options.networkMode.startsWith('container:')) return filesOf(context, networkOwner(context, options.networkMode).id)
  const files = filesOf(context, id)
  const onHost = options.networkMode === 'host'
  const hosts = onHost ? await textOf('/etc/hosts') : hostsText(lease, options.extraHosts, () => gatewayOf(context))
  await settleAll([
    writeFile(
      files.hostname,
      `${onHost && !options.hostname ? (await textOf('/proc/sys/kernel/hostname')).trim() : effective.hostname}\n`,
      { mode: 0o644 },
    ),
    writeFile(files.hosts, onHost ? `${hosts}${extraLines(options.extraHosts, () => '127.0.0.1')}` : hosts, { mode: 0o644 }),
    resolvConf(files.resolvConf, lease, record),
  ])
  return files
}

/** The container whose network it really is: one that is joined may itself have joined another's. */
function networkOwner(context: Context, mode: string): Container {
  let owner = context.index.resolve(mode.slice('container:'.length))
  const seen = new Set<string>()
  while (owner.record.options.networkMode.startsWith('container:') && !seen.has(owner.id)) {
    seen.add(owner.id)
    owner = context.index.resolve(owner.record.options.networkMode.slice('container:'.length))
  }
  return owner
}

function filesOf(context: Context, id: string) {
  return {
    hosts: context.paths.file(id, 'hosts'),
    hostname: context.paths.file(id, 'hostname'),
    resolvConf: context.paths.file(id, 'resolv.conf'),
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

async function resolvConf(path: string, lease: NetworkLease | null, record: Container['record']): Promise<void> {
  const { dns, dnsSearch, dnsOptions } = record.options
  if (lease) return writeFile(path, lease.resolvConf, { mode: 0o644 })
  if (dns.length || dnsSearch.length || dnsOptions.length)
    return writeFile(path, containerResolvConf(record.options, 'host', true), { mode: 0o644 })
  try {
    await copyFile('/etc/resolv.conf', path)
  } catch (error) {
    if (!isMissing(error)) throw error
    await writeFile(path, '', { mode: 0o644 })
  }
}

/** Text of /etc/hosts. */
export function hostsText(lease: Pick<NetworkLease, 'hosts'> | null, extraHosts: readonly string[], gateway: () => string): string {
  const local = localHosts.map(([address, names]) => `${address}\t${names}`).join('\n')
  const leased = (lease?.hosts ?? []).map(({ ip, names }) => `${ip}\t${names.join(' ')}\n`).join('')
  return `${local}\n${extraLines(extraHosts, gateway)}${leased}`
}

function extraLines(extraHosts: readonly string[], gateway: () => string): string {
  return extraHosts
    .map((entry) => {
      const match = /^([^:=]+)[:=]\[?([^\]]+)\]?$/.exec(entry) as RegExpExecArray
      return `${match[2] === 'host-gateway' ? gateway() : match[2]}\t${match[1]}\n`
    })
    .join('')
}

/**
 * After a running container joined or left a network: its name server is the user networks' as long as it is on one, and its hosts file knows its
 * addresses. Written in place, because the files are bound into the container; what the container itself wrote elsewhere in them stays.
 */
export async function refreshNetworkFiles(context: Context, container: Container): Promise<void> {
  const { lease } = container
  if (!lease) return
  const files = filesOf(context, container.id)
  const hasIpv6 = lease.attached.some(({ ipv6 }) => ipv6 !== '')
  const named = lease.attached.some(({ networkName }) => networkName !== 'bridge')
  const lines = (await textOf(files.resolvConf)).split('\n').filter((line) => line !== '' && !line.startsWith('nameserver '))
  const servers = nameservers(containerResolvConf(container.record.options, named ? 'named' : 'plain', hasIpv6))
  const { hostname } = container.record.effective
  const own = lease.attached.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== '')
  const hosts = (await textOf(files.hosts)).split('\n').filter((line) => line !== '' && line.split(/\s+/)[1] !== hostname)
  await settleAll([
    writeFile(files.resolvConf, `${[...servers.map((server) => `nameserver ${server}`), ...lines].join('\n')}\n`),
    writeFile(files.hosts, `${[...hosts, ...own.map((address) => `${address}\t${hostname}`)].join('\n')}\n`),
  ])
}

function nameservers(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^nameserver (\S+)/gm)].map((match) => match[1] as string)
}

/** The host as the default bridge's containers see it. */
function gatewayOf(context: Context): string {
  return context.networks.inspect('bridge').pools[0]?.gateway ?? '127.0.0.1'
}
