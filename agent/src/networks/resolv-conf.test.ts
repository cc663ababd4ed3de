import { expect, it } from 'vitest'
import { formatResolvConf, isReachable, parseResolvConf, withReachable } from './resolv-conf.ts'

it('reads what resolver(5) describes and writes it back', () => {
  const text = '# comment\nnameserver 10.0.0.1\nnameserver fe80::1%eth0 ; note\nsearch a.example b.example\noptions ndots:2 edns0\n'
  const parsed = parseResolvConf(text)
  expect(parsed).toEqual({ nameservers: ['10.0.0.1', 'fe80::1%eth0'], search: ['a.example', 'b.example'], options: ['ndots:2', 'edns0'] })
  expect(formatResolvConf(parsed)).toBe('search a.example b.example\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\noptions ndots:2 edns0\n')
  expect(formatResolvConf({ nameservers: ['1.1.1.1'], search: ['.'], options: [] })).toBe('nameserver 1.1.1.1\n')
})

it("keeps the host's text and takes out only resolvers that cannot be reached", () => {
  const text = '# by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1\noptions edns0\nsortlist 10.0.0.0\n'
  expect(withReachable(text, ['10.0.0.1'])).toBe('# by hand\nnameserver 10.0.0.1\noptions edns0\nsortlist 10.0.0.0\n')
  expect(withReachable('# none\nnameserver 127.0.0.1\n', ['8.8.8.8', '8.8.4.4'])).toBe('# none\n\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n')
  expect(withReachable('', ['8.8.8.8'])).toBe('nameserver 8.8.8.8\n')
})

it('leaves out what a container cannot ask: loopback, and IPv6 without an address of that kind', () => {
  const servers = ['127.0.0.53', '::1', '10.0.0.1', 'fd00::1', 'fe80::1%eth0']
  expect(servers.filter((server) => isReachable(server, false))).toEqual(['10.0.0.1'])
  expect(servers.filter((server) => isReachable(server, true))).toEqual(['10.0.0.1', 'fd00::1', 'fe80::1%eth0'])
})
