import type { ContainerSummary } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { listText, summaryBody } from './container-body.ts'

const now = Date.parse('2026-01-01T00:10:00Z')

function summary(labels: Record<string, string> = {}): ContainerSummary {
  return {
    id: 'a'.repeat(64),
    name: 'web',
    image: 'busybox:1',
    imageId: 'sha256:1',
    command: ['sh', '-c', 'a b'],
    createdAt: '2026-01-01T00:00:00Z',
    state: { status: 'running', health: 'none', exitCode: 0, startedAt: '2026-01-01T00:05:00Z', finishedAt: null },
    labels,
    ports: [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: 8080 }],
    mounts: [],
    networks: [{ name: 'Status', id: 'n1', ipv4: '10.0.0.2', ipv6: '' }],
    networkMode: 'Status',
    sizeRwBytes: null,
    sizeRootFsBytes: null,
  } as unknown as ContainerSummary
}

/** What a client reads. */
function told(summaries: ContainerSummary[], at = now, current = true): Record<string, unknown>[] {
  return JSON.parse(listText(summaries, at, () => current).toString())
}

describe('listText', () => {
  it('is the JSON of the bodies, whatever the labels say', () => {
    const tricky = summary({ Status: '', '"Status":""': '"}', é: '\u2028' })
    expect(listText([tricky, tricky], now, () => true).toString()).toBe(
      `${JSON.stringify([summaryBody(tricky, now), summaryBody(tricky, now)])}\n`,
    )
    expect(listText([], now, () => true).toString()).toBe('[]\n')
  })

  it('keeps the words of a summary and moves its status with the clock', () => {
    const one = summary()
    expect(told([one])[0]?.Status).toBe('Up 5 minutes')
    expect(told([one], now + 3 * 3600_000)[0]?.Status).toBe('Up 3 hours')
  })

  it('is the same bytes while nothing has changed, and others when a container comes, goes, changes or changes its place', () => {
    const [one, two] = [summary(), summary({ second: '' })]
    const before = listText([one, two], now, () => true)
    expect(listText([one, two], now + 1000, () => true)).toBe(before)
    expect(told([one, two, summary()])).toHaveLength(3)
    expect(told([one])).toHaveLength(1)
    expect(told([two, one])[0]?.Labels).toEqual({ second: '' })
    expect(told([{ ...two, name: 'renamed' }, one])[0]?.Names).toEqual(['/renamed'])
  })

  it('shows the id as soon as the name means another image, and the name again when it is back', () => {
    const one = summary()
    const shown = (current: boolean) => told([one], now, current)[0]?.Image
    expect([shown(true), shown(false), shown(true)]).toEqual(['busybox:1', 'sha256:1', 'busybox:1'])
  })
})
