/** Clients of the docker socket that do not read what they asked for, or wait longer than a timer can. */
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DockerHost, openDockerHost } from './docker.ts'
import { tinyTar } from './images.ts'

let host: DockerHost
beforeAll(async () => {
  host = await openDockerHost()
})
afterAll(async () => {
  await host?.close()
})

/** The head of an answer whose body waits to be read. */
function ask(method: string, path: string, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: host.socket, method, path, headers: body ? { 'content-type': 'application/x-tar' } : {} }, resolve)
    asked.once('error', reject)
    asked.end(body)
  })
}

it('cuts off who does not read events, and gives the whole past to who does', async () => {
  const lazy = await ask('GET', '/v1.41/events')
  const attributes = { text: 'x'.repeat(1000) }
  // Waits for the event loop now and then: sockets are written to in between.
  for (let count = 0; count < 12_000; count++) {
    host.engine.events.publish({ type: 'container', action: 'start', actorId: String(count), attributes })
    if (count % 100 === 0) await new Promise(setImmediate)
  }
  await expect(text(lazy)).rejects.toThrow('aborted')
  const past = await text(await ask('GET', `/v1.41/events?since=0&until=${Date.now() / 1000 + 1}`))
  const ids = past
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { Actor: { ID: string } }).Actor.ID)
  expect(ids.slice(-8000)).toEqual(Array.from({ length: 8000 }, (_, at) => String(at + 4000)))
})

it('ends a build whose output nobody reads, and says what was left out', async () => {
  const dockerfile = 'FROM bb:1\nRUN head -c 12000000 /dev/zero | tr "\\0" "\\n"; echo "the last word"\n'
  const before = process.memoryUsage().rss
  const answer = await ask('POST', '/v1.41/build?t=quiet:1&rm=1', tinyTar('Dockerfile', dockerfile))
  await expect
    .poll(() => host.engine.operations.list().find(({ subject }) => subject === 'quiet:1')?.state, { timeout: 50_000 })
    .toBe('succeeded')
  expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20)
  const output = await text(answer)
  expect(/\[\d+ pieces of output were left out: nobody read them\]/.test(output)).toBe(true)
  expect(output.slice(-300)).toContain('Successfully tagged quiet:1')
  expect(output.slice(-300)).toContain('the last word')
})

it('waits for events until a day that is further off than a timer reaches', async () => {
  const months = 90 * 24 * 3600
  const answer = await ask('GET', `/v1.41/events?until=${Math.floor(Date.now() / 1000) + months}`)
  const [first] = await Promise.all([
    new Promise((resolve) => answer.once('data', resolve).once('end', () => resolve('the end'))),
    new Promise((resolve) => setTimeout(resolve, 200)).then(() =>
      host.engine.events.publish({ type: 'container', action: 'start', actorId: 'late' }),
    ),
  ])
  answer.destroy()
  expect(String(first)).toContain('late')
})
