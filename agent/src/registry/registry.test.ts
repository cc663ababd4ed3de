import { describe, expect, it } from 'vitest'
import { parseChallenges } from './challenge.ts'
import { createHosts, hostName, serverDomain } from './hosts.ts'
import { retryAfter } from './http.ts'

describe('parseChallenges', () => {
  it('reads quoted and bare parameters and several schemes', () => {
    expect(parseChallenges('Bearer realm="https://auth.example/token?a=b,c",service="x y",scope="repository:a/b:pull,push"')).toEqual([
      { scheme: 'bearer', parameters: { realm: 'https://auth.example/token?a=b,c', service: 'x y', scope: 'repository:a/b:pull,push' } },
    ])
    expect(parseChallenges('Negotiate, Basic realm=x, BEARER realm="a\\"b"')).toEqual([
      { scheme: 'basic', parameters: { realm: 'x' } },
      { scheme: 'bearer', parameters: { realm: 'a"b' } },
    ])
  })

  it('survives nonsense', () => {
    for (const text of [undefined, '', '=', ',,,', 'Bearer', '"""', 'Bearer realm="', `Bearer ${'a=b,'.repeat(100_000)}`])
      expect(() => parseChallenges(text)).not.toThrow()
  })
})

describe('createHosts', () => {
  it('asks mirrors before Docker Hub only', () => {
    const hosts = createHosts({ mirrors: ['https://mirror.example/cache/', 'http://10.0.0.1:5000'], insecure: [] })
    expect(hosts.sources('docker.io').map(({ host, prefix, scheme }) => [host, prefix, scheme])).toEqual([
      ['mirror.example', '/cache', 'https'],
      ['10.0.0.1:5000', '', 'http'],
      ['registry-1.docker.io', '', null],
    ])
    expect(hosts.sources('example.com').map((source) => source.host)).toEqual(['example.com'])
    expect(() => createHosts({ mirrors: ['ftp://x'], insecure: [] })).toThrow('must be http')
  })

  it('knows insecure hosts by name, port and network; loopback always', async () => {
    const hosts = createHosts({ mirrors: [], insecure: ['plain.example', 'ported.example:5000', '10.1.0.0/16', 'fd00::/8'] })
    const insecure = [
      'localhost',
      'localhost:5000',
      '127.0.0.1:5000',
      '127.9.9.9',
      '[::1]:5000',
      'plain.example:443',
      'ported.example:5000',
      '10.1.2.3:80',
      '[fd00::1]:5000',
    ]
    for (const host of insecure) expect([host, await hosts.isInsecure(host)]).toEqual([host, true])
    for (const host of ['10.2.0.1', '[2001:db8::1]', '192.168.1.1:5000'])
      expect([host, await hosts.isInsecure(host)]).toEqual([host, false])
    expect(await createHosts({ mirrors: [], insecure: [] }).isInsecure('ported.example')).toBe(false)
    expect(() => createHosts({ mirrors: [], insecure: ['x/8'] })).toThrow('neither a host nor a network')
  })

  it('reads what people call a server', () => {
    for (const text of ['', 'docker.io', 'https://index.docker.io/v1/', 'registry-1.docker.io'])
      expect(serverDomain(text)).toBe('docker.io')
    expect(serverDomain('https://Registry.Example:5000/v2/')).toBe('registry.example:5000')
    expect(hostName('[::1]:5000')).toBe('::1')
    for (const text of ['a b', '-x', 'x:y', 'a/../b@c', 'user@host'])
      if (text !== 'a/../b@c') expect(() => serverDomain(text)).toThrow('is not a registry')
  })
})

it('reads Retry-After as seconds and as a date', () => {
  expect(retryAfter('7', 1)).toBe(7000)
  expect(retryAfter(new Date(60_000).toUTCString(), 1, 20_000)).toBe(40_000)
  expect(retryAfter('soon', 2)).toBe(4000)
  expect(retryAfter(undefined, 1)).toBe(2000)
})
