import { readFileSync } from 'node:fs'
import { nameServerAddress } from './name-server.ts'

/** What a resolv.conf says. */
export interface ResolvConf {
  nameservers: string[]
  search: string[]
  options: string[]
}

const loopback = /^(127\.|::1$)/

export function parseResolvConf(text: string): ResolvConf {
  const result: ResolvConf = { nameservers: [], search: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (word === 'nameserver' && rest[0]) result.nameservers.push(rest[0])
    else if (word === 'search' || word === 'domain') result.search = rest
    else if (word === 'options') result.options.push(...rest)
  }
  return result
}

export function formatResolvConf({ nameservers, search, options }: ResolvConf): string {
  const lines = search.length && search.join() !== '.' ? [`search ${search.join(' ')}`] : []
  lines.push(...nameservers.map((server) => `nameserver ${server}`))
  if (options.length) lines.push(`options ${options.join(' ')}`)
  return `${lines.join('\n')}\n`
}

/** The host's, as it is; empty when it has none. */
export function hostResolvConf(): ResolvConf {
  return parseResolvConf(readIfThere('/etc/resolv.conf'))
}

/** Whether a container can ask this resolver of the host's: not on the host's loopback, and by IPv6 only where it has an address of that kind. */
export function isReachable(server: string, ipv6: boolean): boolean {
  return !loopback.test(server) && (ipv6 || !server.includes(':'))
}

/** The host's resolvers as a container can reach them: those with an IPv6 address only where it has one too, those on loopback are replaced by what systemd-resolved itself asks, else by public ones as Docker does. */
export function reachableResolvConf(ipv6 = true): ResolvConf {
  const host = hostResolvConf()
  const reachable = host.nameservers.filter((server) => isReachable(server, ipv6))
  if (reachable.length) return { ...host, nameservers: reachable }
  const behind = parseResolvConf(readIfThere('/run/systemd/resolve/resolv.conf')).nameservers.filter((server) => isReachable(server, ipv6))
  return { ...host, nameservers: behind.length ? behind : ['8.8.8.8', '8.8.4.4'] }
}

/**
 * The resolv.conf of a container.
 * @param ipv6 whether it can reach resolvers by IPv6
 * @param place `host`: the host's network; `named`: a network with a name service, which forwards to `dns` itself; else resolvers are asked directly
 */
export function containerResolvConf(
  { dns, dnsSearch, dnsOptions }: { dns: string[]; dnsSearch: string[]; dnsOptions: string[] },
  place: 'host' | 'named' | 'plain',
  ipv6: boolean,
): string {
  if (place !== 'named' && dns.length + dnsSearch.length + dnsOptions.length === 0) return hostText(place, ipv6)
  const host = place === 'host' ? hostResolvConf() : reachableResolvConf(ipv6)
  const search = dnsSearch.length ? dnsSearch : host.search
  const options = dnsOptions.length ? dnsOptions : host.options
  if (place !== 'named') return formatResolvConf({ nameservers: dns.length ? dns : host.nameservers, search, options })
  const withDots = options.some((option) => option.startsWith('ndots:')) ? options : [...options, 'ndots:0']
  return formatResolvConf({ nameservers: [nameServerAddress], search, options: withDots })
}

/** Nothing was asked for: the host's file as it is. */
function hostText(place: 'host' | 'plain', ipv6: boolean): string {
  const text = readIfThere('/etc/resolv.conf')
  return place === 'host' ? text : withReachable(text, reachableResolvConf(ipv6).nameservers)
}

/** The text of a resolv.conf, comments and all, with the resolvers that are not in `reachable` taken out; if none is left, with those of it. */
export function withReachable(text: string, reachable: readonly string[]): string {
  const lines = text.split('\n').filter((line) => !isNameserver(line) || reachable.includes(line.trim().split(/\s+/)[1] as string))
  const missing = lines.some(isNameserver) ? [] : reachable.map((server) => `nameserver ${server}`)
  const kept = lines.join('\n').replace(/\n*$/, '')
  return `${[...(kept === '' ? [] : [kept]), ...(kept !== '' && missing.length > 0 ? ['', ...missing] : missing)].join('\n')}\n`
}

const isNameserver = (line: string) => /^\s*nameserver\s/.test(line)

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
