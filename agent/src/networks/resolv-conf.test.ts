import { expect, it } from 'vitest'
import { formatResolvConf, parseResolvConf } from './resolv-conf.ts'

it('reads what resolver(5) describes and writes it back', () => {
  const text = '# comment\nnameserver 10.0.0.1\nnameserver fe80::1%eth0 ; note\nsearch a.example b.example\noptions ndots:2 edns0\n'
  const parsed = parseResolvConf(text)
  expect(parsed).toEqual({ nameservers: ['10.0.0.1', 'fe80::1%eth0'], search: ['a.example', 'b.example'], options: ['ndots:2', 'edns0'] })
  expect(formatResolvConf(parsed)).toBe('search a.example b.example\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\noptions ndots:2 edns0\n')
  expect(formatResolvConf({ nameservers: ['1.1.1.1'], search: ['.'], options: [] })).toBe('nameserver 1.1.1.1\n')
})
