/**
 * Where a repository's domain is really served, and how much must be proved about that server. Loopback and the hosts (or networks) that the
 * configuration lists may be plain HTTP or have any certificate; everybody else is HTTPS with a certificate that checks out.
 */
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { EngineError } from '../errors.ts'
import { defaultDomain } from '../oci/reference.ts'

export interface RegistryHosts {
  /** `host[:port]` of a domain's own server (`docker.io` → `registry-1.docker.io`). */
  origin(domain: string): string
  /** Servers to ask for a domain, in order: mirrors (Docker Hub's only), then the origin. */
  sources(domain: string): Source[]
  isInsecure(host: string): Promise<boolean>
}

export interface Source {
  /** `host[:port]`. */
  host: string
  /** Path in front of `/v2/`, for mirrors behind one; '' otherwise. */
  prefix: string
  /** Set by a mirror's URL; null = by what isInsecure allows. */
  scheme: 'http' | 'https' | null
  mirror: boolean
}

export function createHosts(options: { mirrors: readonly string[]; insecure: readonly string[] }): RegistryHosts {
  const mirrors = options.mirrors.map(parseMirror)
  const networks = new BlockList()
  networks.addSubnet('127.0.0.0', 8, 'ipv4')
  networks.addAddress('::1', 'ipv6')
  const names = new Set<string>()
  let hasNetworks = false
  for (const entry of options.insecure) {
    const slash = entry.indexOf('/')
    if (slash < 0) names.add(entry.toLowerCase())
    else {
      const address = entry.slice(0, slash)
      const family = isIP(address)
      if (!family)
        throw new EngineError(
          'invalid_argument',
          `"${entry}" is neither a host nor a network; write host[:port] or address/bits in BERTH_INSECURE_REGISTRIES`,
        )
      networks.addSubnet(address, Number(entry.slice(slash + 1)), family === 4 ? 'ipv4' : 'ipv6')
      hasNetworks = true
    }
  }
  const inNetworks = (address: string) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return {
    origin: originOf,
    sources: (domain) => [
      ...(domain === defaultDomain ? mirrors : []),
      { host: originOf(domain), prefix: '', scheme: null, mirror: false },
    ],
    async isInsecure(host) {
      const name = hostName(host)
      if (name === 'localhost' || names.has(host.toLowerCase()) || names.has(name)) return true
      if (isIP(name)) return inNetworks(name)
      if (!hasNetworks) return false
      const addresses = await lookup(name, { all: true }).catch(() => [])
      return addresses.some(({ address }) => inNetworks(address))
    },
  }
}

function originOf(domain: string): string {
  return domain === defaultDomain || domain === 'index.docker.io' ? 'registry-1.docker.io' : domain
}

/** The name of `host[:port]`, brackets taken off. */
export function hostName(host: string): string {
  return (/^\[(.+)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '')).toLowerCase()
}

function parseMirror(text: string): Source {
  let url: URL
  try {
    url = new URL(text.includes('://') ? text : `https://${text}`)
  } catch {
    throw new EngineError(
      'invalid_argument',
      `"${text}" is not a URL of a registry mirror; write https://host[:port] in BERTH_REGISTRY_MIRRORS`,
    )
  }
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.search || url.hash || url.username) {
    throw new EngineError('invalid_argument', `registry mirror "${url.host}" must be http:// or https:// without user, query and fragment`)
  }
  return { host: url.host, prefix: url.pathname.replace(/\/+$/, ''), scheme: url.protocol === 'http:' ? 'http' : 'https', mirror: true }
}

/**
 * Reads what people write for a server: `host[:port]`, a URL, Docker Hub's old address; answers the domain as references spell it.
 * @throws invalid_argument
 */
export function serverDomain(text: string): string {
  const host =
    text
      .trim()
      .replace(/^https?:\/\//, '')
      .split('/')[0]
      ?.toLowerCase() ?? ''
  if (host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' || host === defaultDomain) return defaultDomain
  if (!/^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/.test(host)) {
    throw new EngineError('invalid_argument', `"${text.slice(0, 100)}" is not a registry; use host or host:port`)
  }
  return host
}
