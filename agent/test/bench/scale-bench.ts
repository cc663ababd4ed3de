/**
 * The agent with hundreds of running containers on one bridge: what each costs, how long starts, lists and answers take as they become many, whether an agent
 * that is killed finds all of them, thousands of execs one after the other and a hundred at once, and followers of many logs.
 * Run as root: `npx tsx agent/test/bench/scale-bench.ts [containers,…] [execs]`.
 */
import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { dockerApi } from './docker-api.ts'
import { loadBusybox, processorMs, proportionalKb, startBerth } from './engines.ts'

const sizes = (process.argv[2] ?? '250,500,1000').split(',').map(Number)
const execs = Number(process.argv[3] ?? 3000)
const network = 'scale'
const sorted = (values: number[]) => [...values].sort((a, b) => a - b)
const at = (values: number[], share: number) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] as number
const told = (values: number[]) =>
  `median ${at(values, 0.5).toFixed(1)} ms, 99 % ${at(values, 0.99).toFixed(1)}, most ${at(values, 1).toFixed(1)}`
const say = (what: string, figure: string) => console.log(`${what.padEnd(48)} ${figure}`)

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

interface Summary {
  Id: string
  State: string
}

const berth = await startBerth()
const list = () => berth.api.call<Summary[]>('GET', '/containers/json?all=1')
const ids: string[] = []
/** Containers of this run that speak when spoken to: `kill -USR1` makes their shell write a line. */
const speaking = "trap 'echo spoken' USR1; while :; do sleep 100000 & wait $!; kill $!; done"

async function run(command: string[]): Promise<number> {
  let id = ''
  const took = await timed(async () => {
    const body = { Image: 'busybox:1', Cmd: command, HostConfig: { NetworkMode: network } }
    id = (await berth.api.call<{ Id: string }>('POST', '/containers/create', body)).Id
    await berth.api.call('POST', `/containers/${id}/start`)
  })
  ids.push(id)
  return took
}

async function exec(id: string): Promise<void> {
  const { Id } = await berth.api.call<{ Id: string }>('POST', `/containers/${id}/exec`, { Cmd: ['true'], AttachStdout: true })
  await berth.api.call('POST', `/exec/${Id}/start`, { Detach: true, Tty: false })
  for (;;) {
    const { Running, ExitCode } = await berth.api.call<{ Running: boolean; ExitCode: number }>('GET', `/exec/${Id}/json`)
    if (Running) continue
    if (ExitCode !== 0) throw new Error(`an exec ended with ${ExitCode}`)
    return
  }
}

/** How long the agent takes to say that it is there, asked every 10 ms while `work` goes on: its event loop's delay and a little more. */
async function delayWhile(work: () => Promise<unknown>): Promise<number[]> {
  const delays: number[] = []
  // A connection of its own: others may wait for theirs.
  const api = dockerApi('berth', berth.socket)
  let going = true
  const asking = (async () => {
    while (going) {
      delays.push(await timed(() => api.call('GET', '/exec/none/json').catch(() => null)))
      await sleep(10)
    }
  })()
  try {
    await work()
  } finally {
    going = false
    await asking
    api.close()
  }
  return delays
}

async function grow(size: number): Promise<void> {
  const before = { kb: proportionalKb([berth.pid]), all: proportionalKb(berth.family()), count: ids.length }
  const took: number[] = []
  const delays = await delayWhile(async () => {
    while (ids.length < size) took.push(await run(ids.length < 100 ? ['sh', '-c', speaking] : ['sleep', '100000']))
  })
  say(`${size}: create + start, one after the other`, told(took))
  say(`${size}: an answer meanwhile`, told(delays))
  await sleep(8000)
  const more = size - before.count
  const agentKb = proportionalKb([berth.pid])
  const perContainer = `agent ${((agentKb - before.kb) / more).toFixed(1)} kB, all ${((proportionalKb(berth.family()) - before.all) / more).toFixed(1)} kB`
  say(`${size}: each of the last ${more} costs`, `${perContainer}; agent now ${(agentKb / 1024).toFixed(1)} MB`)
  const lists: number[] = []
  for (let count = 0; count < 20; count++) lists.push(await timed(list))
  say(`${size}: list`, told(lists))
  const changed: number[] = []
  for (let count = 0; count < 20; count++) {
    const name = `renamed-${size}-${count}`
    await berth.api.call('POST', `/containers/${ids[count]}/rename?name=${name}`)
    changed.push(await timed(list))
  }
  say(`${size}: list after one has changed`, told(changed))
  const begun = processorMs([berth.pid])
  await sleep(10_000)
  say(`${size}: nobody looks`, `${((processorMs([berth.pid]) - begun) / 100).toFixed(2)} % of a core`)
}

async function crash(): Promise<void> {
  const before = await list()
  await berth.kill()
  const took = await timed(() => berth.revive())
  const busy = processorMs([berth.pid])
  const after = new Map((await list()).map((one) => [one.Id, one.State]))
  const lost = before.filter(({ Id, State }) => after.get(Id) !== State)
  say(
    `killed and started again with ${before.length}`,
    `answers after ${took.toFixed(0)} ms, ${busy} of them busy; ${lost.length} are not as they were`,
  )
  if (lost.length > 0) throw new Error(`lost: ${JSON.stringify(lost.slice(0, 5))}`)
  say('its memory then', `${(proportionalKb([berth.pid]) / 1024).toFixed(1)} MB`)
}

async function manyExecs(): Promise<void> {
  const kb = proportionalKb([berth.pid])
  const took: number[] = []
  for (let count = 0; count < execs; count++) took.push(await timed(() => exec(ids[count % ids.length] as string)))
  const tenth = Math.ceil(execs / 10)
  say(`${execs} execs, the first tenth`, told(took.slice(0, tenth)))
  say(`${execs} execs, the last tenth`, told(took.slice(-tenth)))
  await sleep(8000)
  say('agent, for each exec (known for ten minutes)', `${((proportionalKb([berth.pid]) - kb) / execs).toFixed(2)} kB`)
  const each: number[] = []
  const delays = await delayWhile(() =>
    Promise.all(Array.from({ length: 100 }, async (_, count) => each.push(await timed(() => exec(ids[count % ids.length] as string))))),
  )
  say('100 execs at once', told(each))
  say('an answer meanwhile', told(delays))
  const one: number[] = []
  await Promise.all(Array.from({ length: 100 }, async () => one.push(await timed(() => exec(ids[0] as string)))))
  say('100 execs at once in one container', told(one))
}

/** Followers of 50 logs, two each, while every container speaks; each of them must hear every line. */
async function followers(): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  const followed = ids.slice(0, 50)
  const streams = await Promise.all(
    [...followed, ...followed].map(
      (id) =>
        new Promise<IncomingMessage>((resolve, reject) =>
          request({ socketPath: berth.socket, agent, path: `/v1.41/containers/${id}/logs?follow=1&stdout=1&tail=0` }, resolve)
            .once('error', reject)
            .end(),
        ),
    ),
  )
  const heard = streams.map(() => 0)
  for (const [index, stream] of streams.entries())
    stream.on('data', (bytes: Buffer) => {
      heard[index] = (heard[index] ?? 0) + bytes.toString('latin1').split('spoken\n').length - 1
    })
  const rounds = 20
  const delays = await delayWhile(async () => {
    for (let round = 1; round <= rounds; round++) {
      await Promise.all(followed.map((id) => berth.api.call('POST', `/containers/${id}/kill?signal=USR1`)))
      const until = Date.now() + 20_000
      while (heard.some((lines) => lines < round)) {
        if (Date.now() > until)
          throw new Error(`round ${round}: ${heard.filter((lines) => lines < round).length} followers have not heard it`)
        await sleep(5)
      }
    }
  })
  say(`100 followers of 50 logs, ${rounds} lines each`, 'every line heard')
  say('an answer meanwhile', told(delays))
  for (const stream of streams) stream.destroy()
  agent.destroy()
}

try {
  loadBusybox(berth)
  await berth.api.call('POST', '/networks/create', { Name: network, IPAM: { Config: [{ Subnet: '10.199.0.0/16' }] } })
  await sleep(2000)
  say('idle', `${(proportionalKb([berth.pid]) / 1024).toFixed(1)} MB`)
  for (const size of sizes) {
    await grow(size)
    await crash()
  }
  await followers()
  await manyExecs()
} finally {
  const all = await list()
  const removing = await timed(async () => {
    const left = all.map(({ Id }) => Id)
    while (left.length) await Promise.all(left.splice(0, 8).map((id) => berth.api.call('DELETE', `/containers/${id}?force=1`)))
  })
  say(`removing ${all.length}, eight at a time`, `${(removing / Math.max(1, all.length)).toFixed(1)} ms each`)
  await berth.api.call('DELETE', `/networks/${network}`)
  await berth.stop()
}
