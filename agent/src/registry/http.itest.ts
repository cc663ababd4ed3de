/** Where a registry may send us, and how slowly it may speak: real servers on loopback. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createHosts } from './hosts.ts'
import { createHttp, readBody } from './http.ts'
import { isLinkLocal, lookupBeyondLink } from './link-local.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(...lookup: Parameters<typeof lookupBeyondLink>) {
  const http = createHttp(createHosts({ mirrors: [], insecure: ['rebound.example:80'] }), lookupBeyondLink(...lookup))
  undo.push(() => http.close())
  return http
}

describe('a redirect', () => {
  it.each([
    'file:///etc/shadow',
    'ftp://127.0.0.1/x',
    'data:text/plain,x',
    'unix:///run/docker.sock',
    // The clouds' metadata services, in every spelling that connect(2) would understand.
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/latest/',
    'http://0xa9.0xfe.169.254/latest/',
    'http://[::ffff:169.254.169.254]/latest/',
    'http://[fe80::1]/',
    'http://[febf::1]/',
    'http://[fd00:ec2::254]/latest/',
    'http://100.100.100.200/latest/',
  ])('to %s is refused', async (location) => {
    const url = await serve((_request, response) => void response.writeHead(307, { location }).end())
    await expect(client().send({ method: 'GET', url: new URL(url) })).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('it is refused'),
    })
  })

  it('to a name that leads there is refused', async () => {
    const url = await serve((_request, response) => void response.writeHead(307, { location: 'http://rebound.example/' }).end())
    const resolve = (_name: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, [
        { address: '169.254.169.254', family: 4 },
        { address: 'fe80::1', family: 6 },
      ])
    await expect(client(resolve as never).send({ method: 'GET', url: new URL(url) })).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining("this machine's own link"),
    })
  })

  it('to a name that leads there among others takes the others', async () => {
    const target = new URL(await serve((_request, response) => void response.end('{}')))
    const resolve = (_name: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, [
        { address: 'fe80::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])
    const http = createHttp(createHosts({ mirrors: [], insecure: ['rebound.example'] }), lookupBeyondLink(resolve as never))
    undo.push(() => http.close())
    const answer = await http.send({ method: 'GET', url: new URL(`http://rebound.example:${target.port}/`) })
    expect((await readBody(answer, 10, 'it')).toString()).toBe('{}')
  })
})

it('knows the addresses of this link and no others', () => {
  for (const address of ['169.254.0.1', '::ffff:a9fe:a9fe', 'fe80::1', 'fe80::1%eth0'])
    expect([address, isLinkLocal(address)]).toEqual([address, true])
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', '2001:db8::1', '::ffff:7f00:1', 'registry.example', '169.254.example'])
    expect([address, isLinkLocal(address)]).toEqual([address, false])
})
