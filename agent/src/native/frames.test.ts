import { describe, expect, it } from 'vitest'
import { encodeFrame, FrameDecoder, frameTypes, maxPayloadBytes } from './frames.ts'

describe('frames', () => {
  const stream = Buffer.concat([
    encodeFrame(frameTypes.welcome, Buffer.from('{}')),
    encodeFrame(frameTypes.replayEnd),
    encodeFrame(frameTypes.stdout, Buffer.alloc(70000, 7)),
    encodeFrame(frameTypes.exit, Buffer.from('{"exitCode":0}')),
  ])

  it('gives the same frames however the stream is cut', () => {
    for (const step of [1, 2, 3, 4, 5, 6, 7, 1000, 65536, stream.length]) {
      const decoder = new FrameDecoder()
      const frames = []
      for (let at = 0; at < stream.length; at += step)
        for (const frame of decoder.push(stream.subarray(at, at + step))) frames.push({ type: frame.type, size: frame.payload.length })
      expect(frames).toEqual([
        { type: 0x10, size: 2 },
        { type: 0x14, size: 0 },
        { type: 0x11, size: 70000 },
        { type: 0x1f, size: 14 },
      ])
    }
  })

  it('refuses a length over the limit as soon as the header is there', () => {
    const head = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x11])
    expect(() => new FrameDecoder().push(head)).toThrow(RangeError)
    const decoder = new FrameDecoder()
    decoder.push(head.subarray(0, 3))
    expect(() => decoder.push(head.subarray(3))).toThrow(RangeError)
    expect(() => encodeFrame(1, new Uint8Array(maxPayloadBytes + 1))).toThrow(RangeError)
  })
})
