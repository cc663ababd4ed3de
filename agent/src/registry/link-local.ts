/**
 * The addresses that only this machine's own link answers: RFC 3927, RFC 4291 section 2.5.6, and the clouds' metadata services, which hand credentials of the
 * machine to whoever asks from it. A registry may not send us there. Whoever writes such an address as the registry's own gets what they asked for.
 */
import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { EngineError } from '../errors.ts'

const blocked = new BlockList()
blocked.addSubnet('169.254.0.0', 16, 'ipv4')
blocked.addSubnet('fe80::', 10, 'ipv6')
// Metadata services outside of these: EC2 by IPv6, Alibaba Cloud.
blocked.addAddress('fd00:ec2::254', 'ipv6')
blocked.addAddress('100.100.100.200', 'ipv4')

/** @param address without brackets, as `URL` and resolvers write it; a name is none. IPv4 inside IPv6 (`::ffff:a9fe:a9fe`) counts as what it leads to */
export function isLinkLocal(address: string): boolean {
  const plain = address.split('%')[0] as string
  const family = isIP(plain)
  return family !== 0 && blocked.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Resolves names for connections, without the addresses above: what a name led to when it was looked at need not be what it leads to when it is connected.
 * @param resolve asks the system; for tests
 */
export function lookupBeyondLink(resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (name, options, done) =>
    resolve(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error, [])
      const usable = found.filter(({ address }) => !isLinkLocal(address))
      const [first] = usable
      if (!first) {
        const said = `${name} leads to ${found[0]?.address ?? 'no address'}, which is this machine's own link; no registry is asked there`
        return done(new EngineError('permission_denied', said), [])
      }
      if (options.all) done(null, usable)
      else done(null, first.address, first.family)
    })
}
