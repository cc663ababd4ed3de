import { describe, expect, it } from 'vitest'
import { contains, formatAddress, formatSubnet, overlaps, parseAddress, parseSubnet } from './address.ts'
import { Addresses, chooseSubnet } from './address-pool.ts'

describe('addresses', () => {
  it.each([
    ['172.17.0.2', '172.17.0.2'],
    ['::1', '::1'],
    ['fd00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['::', '::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
  ])('reads and writes %s as %s', (text, canonical) => {
    const { family, value } = parseAddress(text)
    expect(formatAddress(family, value)).toBe(canonical)
  })

  it.each(['300.1.1.1', '1.2.3', 'fe80::1%eth0', '', 'x', '1.2.3.4/8'])('refuses "%s"', (text) =>
    expect(() => parseAddress(text)).toThrow('is not an IP address'),
  )

  it('keeps host bits out of a subnet and refuses long prefixes', () => {
    expect(formatSubnet(parseSubnet('10.1.2.3/8'))).toBe('10.0.0.0/8')
    for (const text of ['10.0.0.0/33', 'fd00::/129', '10.0.0.0', '10.0.0.0/x']) expect(() => parseSubnet(text)).toThrow('invalid subnet')
  })

  it('knows what overlaps', () => {
    expect(overlaps(parseSubnet('10.0.0.0/8'), parseSubnet('10.9.0.0/16'))).toBe(true)
    expect(overlaps(parseSubnet('10.0.0.0/16'), parseSubnet('10.1.0.0/16'))).toBe(false)
    expect(overlaps(parseSubnet('10.0.0.0/8'), parseSubnet('fd00::/8'))).toBe(false)
    expect(contains(parseSubnet('10.0.0.0/30'), 4, parseAddress('10.0.0.4').value)).toBe(false)
  })
})

describe('chooseSubnet', () => {
  const pools = [
    { base: '172.17.0.0/16', size: 16 },
    { base: '192.168.0.0/22', size: 24 },
  ]
  it('passes over what is used and ends in words', () => {
    const used = [parseSubnet('172.17.5.0/24'), parseSubnet('192.168.0.0/24')]
    expect(formatSubnet(chooseSubnet(pools, used))).toBe('192.168.1.0/24')
    expect(() => chooseSubnet(pools, [parseSubnet('0.0.0.0/0')])).toThrow('could not find an available, non-overlapping IPv4 address pool')
  })
})

describe('Addresses', () => {
  it('gives the lowest free one, never the edges or the gateway, and takes it back', () => {
    const addresses = new Addresses(parseSubnet('10.0.0.0/29'), ['10.0.0.1'])
    expect([addresses.take(), addresses.take()]).toEqual(['10.0.0.2', '10.0.0.3'])
    addresses.give('10.0.0.2')
    expect(addresses.take()).toBe('10.0.0.2')
    expect([addresses.take(), addresses.take(), addresses.take()]).toEqual(['10.0.0.4', '10.0.0.5', '10.0.0.6'])
    expect(() => addresses.take()).toThrow('no available IPv4 addresses')
  })

  it('keeps to the range, but gives a chosen address anywhere in the subnet', () => {
    const addresses = new Addresses(parseSubnet('10.0.0.0/24'), ['10.0.0.1'], parseSubnet('10.0.0.128/25'))
    expect(addresses.take()).toBe('10.0.0.128')
    expect(addresses.take('10.0.0.7')).toBe('10.0.0.7')
    expect(() => addresses.take('10.0.0.7')).toThrow('Address already in use')
    expect(() => addresses.take('10.0.1.7')).toThrow('no configured subnet contains IP address 10.0.1.7')
  })
})
