import { duplexPair } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { encodeFrame, FrameDecoder, frameTypes } from './frames.ts'
import { MonitorConnection } from './monitor-connection.ts'

const plan = { proto: 'tcp' as const, hostIp: '0.0.0.0', hostPort: 8080, containerIp: '10.0.0.2', containerPort: 80 }

/** A connection, and a monitor's end of it that says what it is told and keeps what it hears. */
function pair(welcome: object) {
  const [ours, theirs] = duplexPair()
  const heard: string[] = []
  const decoder = new FrameDecoder()
  theirs.on('data', (bytes: Buffer) => {
    for (const { type, payload } of decoder.push(bytes)) if (type === frameTypes.port) heard.push(payload.toString())
  })
  const connection = new MonitorConnection(ours, { closed() {} })
  const say = (type: number, body: object) => theirs.write(encodeFrame(type, Buffer.from(JSON.stringify(body))))
  say(frameTypes.welcome, { pid: 1, terminal: false, cols: 0, rows: 0, startedAt: '', ...welcome })
  return { connection, heard, theirs, answer: (body: object) => say(frameTypes.portSet, body) }
}

describe('setPort', () => {
  it('is refused for a monitor that is older than it, which hears nothing: it would hang up', async () => {
    const { connection, heard } = pair({})
    await expect(connection.setPort(plan)).rejects.toMatchObject({ code: 'unavailable' })
    expect(heard).toEqual([])
  })

  it('has the answers in the order of the questions, with the reason of a refusal', async () => {
    const { connection, heard, answer } = pair({ setsPorts: true })
    const both = Promise.allSettled([connection.setPort(plan), connection.setPort({ ...plan, hostPort: 8081 })])
    await expect.poll(() => heard.length).toBe(2)
    expect(JSON.parse(heard[0] as string)).toEqual(plan)
    answer({})
    answer({ code: 'failed_precondition', message: 'taken' })
    expect(await both).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'failed_precondition', message: 'taken' } },
    ])
  })

  it('does not wait for a monitor that is gone', async () => {
    const { connection, heard, theirs } = pair({ setsPorts: true })
    const waiting = connection.setPort(plan)
    await expect.poll(() => heard.length).toBe(1)
    theirs.destroy()
    connection.close()
    await expect(waiting).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(connection.setPort(plan)).rejects.toMatchObject({ code: 'failed_precondition' })
  })
})
