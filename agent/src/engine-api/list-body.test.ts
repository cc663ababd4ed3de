import type { ContainerSummary } from '@berth/contract/container'
import { describe, expect, it } from 'vitest'
import { summaryBody } from './container-body.ts'
import { ListBody } from './list-body.ts'

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
  return JSON.parse(String(new ListBody(summaries, at, () => current).at(at)))
}

describe('ListBody', () => {
  it('is the JSON of the bodies, whatever the labels say', () => {
    const tricky = summary({ Status: '', '"Status":""': '"}', é: '\u2028' })
    expect(String(new ListBody([tricky, tricky], now, () => true).at(now))).toBe(
      `${JSON.stringify([summaryBody(tricky, now), summaryBody(tricky, now)])}\n`,
    )
    expect(String(new ListBody([], now, () => true).at(now))).toBe('[]\n')
  })

  it('moves its statuses with the clock, behind characters of several bytes too, and leaves what was sent as it was', () => {
    const all = [summary({ é: '漢字' }), summary({ 'Up 5 minutes': '' }), summary()]
    const body = new ListBody(all, now, () => true)
    const first = body.at(now)
    expect(body.at(now + 59_999)).toBe(first)
    const later = body.at(now + 60_000)
    expect(String(later)).toBe(`${JSON.stringify(all.map((one) => summaryBody(one, now + 60_000)))}\n`)
    expect(String(first)).toBe(`${JSON.stringify(all.map((one) => summaryBody(one, now)))}\n`)
    expect(String(body.at(now + 4 * 60_000 + 59_000))).toContain('"Up 9 minutes"')
  })

  it('is made again when a status gets another length, or the clock was set back', () => {
    const body = new ListBody([summary()], now, () => true)
    expect(body.at(now - 1)).toBeNull()
    expect(body.at(now + 5 * 60_000)).toBeNull()
    expect(told([summary()], now + 3 * 3600_000)[0]?.Status).toBe('Up 3 hours')
  })

  it('keeps the words of a summary and shows another one anew', () => {
    const [one, two] = [summary(), summary({ second: '' })]
    expect(told([one, two, summary()])).toHaveLength(3)
    expect(told([two, one])[0]?.Labels).toEqual({ second: '' })
    expect(told([{ ...two, name: 'renamed' }, one])[0]?.Names).toEqual(['/renamed'])
  })

  it('shows the id as soon as the name means another image, and the name again when it is back', () => {
    const one = summary()
    const shown = (current: boolean) => told([one], now, current)[0]?.Image
    expect([shown(true), shown(false), shown(true)]).toEqual(['busybox:1', 'sha256:1', 'busybox:1'])
  })
})
