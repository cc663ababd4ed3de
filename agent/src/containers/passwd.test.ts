import { describe, expect, it } from 'vitest'
import { resolveUser } from './passwd.ts'

const passwd = 'root:x:0:0:root:/root:/bin/sh\n# comment\nweb:x:1000:1001::/home/web:/bin/sh\nbroken:x:abc:1\nbig:x:99999999999:1::/:\n'
const group = 'root:x:0:\nweb:x:1001:\nvideo:x:44:web,other\naudio:x:29:web\n'

describe('resolveUser', () => {
  it('takes names, numbers and groups as Docker does', () => {
    expect(resolveUser('', [], passwd, group)).toEqual({ uid: 0, gid: 0, additionalGids: [], home: '/root' })
    expect(resolveUser('web', [], passwd, group)).toEqual({ uid: 1000, gid: 1001, additionalGids: [44, 29], home: '/home/web' })
    expect(resolveUser('1000', [], passwd, group)).toMatchObject({ uid: 1000, gid: 1001, additionalGids: [44, 29] })
    expect(resolveUser('web:video', [], passwd, group)).toEqual({ uid: 1000, gid: 44, additionalGids: [], home: '/home/web' })
    expect(resolveUser('4242:77', ['video', '12'], passwd, group)).toEqual({ uid: 4242, gid: 77, additionalGids: [44, 12], home: '/' })
  })

  it('refuses unknown names and numbers must be in range', () => {
    expect(() => resolveUser('nobody', [], passwd, group)).toThrow('unable to find user nobody: no matching entries in passwd file')
    expect(() => resolveUser('web:nogroup', [], passwd, group)).toThrow('unable to find group nogroup')
    expect(() => resolveUser('4294967296', [], passwd, group)).toThrow('must be in range')
    expect(() => resolveUser('broken', [], passwd, group)).toThrow('unable to find user')
    expect(() => resolveUser('big', [], passwd, group)).toThrow('unable to find user')
  })

  it('survives absurd content', () => {
    const absurd = `${'a:'.repeat(100_000)}\n${'\0'.repeat(1000)}\n${'web:x:1:1::/:\n'.repeat(10_000)}`
    expect(resolveUser('web', [], absurd, absurd).uid).toBe(1)
  })
})
