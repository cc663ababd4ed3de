import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Events } from './events/events.ts'
import { ownHeap, trimWhenQuiet } from './trim-heap.ts'

const megabyte = 1024 * 1024

function scene() {
  const listeners = new Set<() => void>()
  const events = {
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  } as unknown as Pick<Events, 'subscribe'>
  const heap = { used: 40 * megabyte, collections: 0, busy: 0 }
  const end = trimWhenQuiet(events, {
    heldBytes: () => heap.used,
    utilization: () => heap.busy,
    collect: () => {
      heap.collections += 1
      heap.used -= 3 * megabyte
    },
  })
  return { heap, end, listeners, happen: () => listeners.forEach((listener) => void listener()) }
}

describe('trimWhenQuiet', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('collects once after the start and not again while nothing happens', () => {
    const { heap, end } = scene()
    vi.advanceTimersByTime(60_000)
    expect(heap.collections).toBe(1)
    end()
  })

  it('waits until a burst is over, and then collects once', () => {
    const { heap, end, happen } = scene()
    vi.advanceTimersByTime(3_000)
    for (let n = 0; n < 50; n++) {
      heap.used += megabyte
      happen()
      vi.advanceTimersByTime(1_000)
    }
    expect(heap.collections).toBe(1)
    vi.advanceTimersByTime(60_000)
    expect(heap.collections).toBe(2)
    end()
  })

  it('leaves a heap alone that has hardly grown', () => {
    const { heap, end, happen } = scene()
    vi.advanceTimersByTime(3_000)
    heap.used += megabyte
    happen()
    vi.advanceTimersByTime(60_000)
    expect(heap.collections).toBe(1)
    end()
  })

  it('waits until those who are being served have been', () => {
    const { heap, end } = scene()
    heap.busy = 0.5
    vi.advanceTimersByTime(60_000)
    expect(heap.collections).toBe(0)
    heap.busy = 0.01
    vi.advanceTimersByTime(3_000)
    expect(heap.collections).toBe(1)
    end()
  })

  it('does nothing any more after its end', () => {
    const { heap, end, listeners } = scene()
    end()
    vi.advanceTimersByTime(60_000)
    expect([heap.collections, listeners.size]).toEqual([0, 0])
  })
})

describe('ownHeap', () => {
  it('gives up what nobody holds any more, and leaves no gc function behind', async () => {
    const heap = ownHeap()
    let ended = 0
    const registry = new FinalizationRegistry(() => {
      ended += 1
    })
    const fill = () => {
      for (let n = 0; n < 100; n++)
        registry.register(
          Array.from({ length: 1000 }, () => ({ n })),
          n,
        )
    }
    fill()
    heap.collect()
    await expect.poll(() => ended).toBeGreaterThan(90)
    expect('gc' in globalThis).toBe(false)
  })
})
