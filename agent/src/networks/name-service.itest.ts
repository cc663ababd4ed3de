/** The name service on a loopback address: real sockets, real DNS packets. */
import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'
import { afterEach, expect, it } from 'vitest'
import { NameService } from './name-service.ts'

const address = '127.0.0.77'
let service: NameService
afterEach(() => service.close())

/** The answer's code to a question for `name`. */
function ask(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.once('message', (answer) => {
      socket.close()
      resolve((decode(answer) as { rcode?: string }).rcode ?? '')
    })
    socket.send(encode({ type: 'query', id: 7, questions: [{ type: 'A', name }] }), 53, address)
  })
}

it('answers that it failed where the host has no way to its resolvers, and goes on', async () => {
  // The kernel refuses both at connect(2): a broadcast address, and a link-local one without its link.
  service = new NameService({ addresses: () => null, nameOf: () => null, resolvers: () => [] }, () => ['255.255.255.255', 'fe80::1'])
  await service.open([address])
  expect(await ask('nosuch.example')).toBe('SERVFAIL')
  expect(await ask('nosuch.example')).toBe('SERVFAIL')
})
