import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { openProgram, runProgram } from './programs.ts'

describe('runProgram', () => {
  it('captures stdout and feeds stdin', async () => {
    expect((await runProgram('/bin/cat', [], { stdin: 'hello' })).stdout).toBe('hello')
    expect((await runProgram('/bin/cat', [], { stdin: Readable.from([Buffer.from('a'), Buffer.from('b')]) })).stdout).toBe('ab')
  })

  it('returns descriptor 3 as the answer', async () => {
    const result = await runProgram('/bin/sh', ['-c', 'echo out; echo {} >&3'], { answerFd: true })
    expect(result).toMatchObject({ stdout: 'out\n', answer: '{}\n' })
  })

  it('turns the JSON line into an EngineError', async () => {
    const script = `echo noise >&2; echo '{"step":"apply","path":"x","code":"invalid_argument","message":"entry x leads out"}' >&2; exit 1`
    await expect(runProgram('/bin/sh', ['-c', script])).rejects.toMatchObject({ code: 'invalid_argument', message: 'entry x leads out' })
  })

  it('reports the program, not the broken pipe, when it stops reading early', async () => {
    const script = `echo '{"code":"data_loss","message":"cut"}' >&2; exit 1`
    const endless = Readable.from(
      (function* () {
        for (let i = 0; i < 1000; i++) yield Buffer.alloc(65536)
      })(),
    )
    await expect(runProgram('/bin/sh', ['-c', script], { stdin: endless })).rejects.toMatchObject({ code: 'data_loss', message: 'cut' })
  })

  it('reports the program also when its input was only waiting for more at that moment', async () => {
    const script = `head -c 1 >/dev/null; echo '{"code":"resource_exhausted","message":"no space left on device"}' >&2; exit 1`
    for (let round = 0; round < 20; round += 1) {
      const source = new Readable({ read() {}, highWaterMark: 1024 })
      const trickle = setInterval(() => source.push(Buffer.alloc(65536)), 1)
      await expect(runProgram('/bin/sh', ['-c', script], { stdin: source }))
        .rejects.toMatchObject({ code: 'resource_exhausted' })
        .finally(() => clearInterval(trickle))
    }
  })

  it('kills the program when its input fails, and says what failed', async () => {
    const source = new Readable({ read() {} })
    source.push('x')
    setTimeout(() => source.destroy(new Error('digest differs')), 20)
    await expect(runProgram('/bin/cat', [], { stdin: source })).rejects.toThrow('digest differs')
  })

  it('kills on abort', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    await expect(runProgram('/bin/sleep', ['30'], { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('names a missing program', async () => {
    await expect(runProgram('/nonexistent/berth-x', [])).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('/nonexistent/berth-x'),
    })
  })
})

describe('openProgram', () => {
  it('streams stdout and fails the stream when the program fails', async () => {
    const good = openProgram('/bin/echo', ['hi'])
    expect(await text(good.stdout)).toBe('hi\n')
    await good.done
    const bad = openProgram('/bin/sh', ['-c', 'echo part; exit 3'])
    bad.done.catch(() => {})
    await expect(text(bad.stdout)).rejects.toThrow('status 3')
    const missing = openProgram('/nonexistent/berth-x', [])
    missing.done.catch(() => {})
    await expect(text(missing.stdout)).rejects.toThrow('/nonexistent/berth-x')
  })

  it('kills the program when the reader leaves', async () => {
    const endless = openProgram('/bin/cat', ['/dev/zero'])
    endless.stdout.once('data', () => endless.stdout.destroy())
    await expect(endless.done).rejects.toThrow('SIGKILL')
  })
})
