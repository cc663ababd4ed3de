import type { BoundPort } from '@berth/contract/container'
import { expect, it } from 'vitest'
import { portRanges, portText } from './port-ranges'

const bound = (
  hostIp: string | null,
  hostPort: number | null,
  containerPort: number,
  protocol: BoundPort['protocol'] = 'tcp',
): BoundPort => ({
  hostIp,
  hostPort,
  containerPort,
  protocol,
})

it('folds ports that follow each other, and counts IPv4 and IPv6 once', () => {
  const many = Array.from({ length: 24 }, (_, index) => bound('127.0.0.1', 18001 + index, 8001 + index))
  const all = portRanges([bound(null, null, 9000), bound('0.0.0.0', 80, 80), bound('::', 80, 80), ...many, bound('::1', 53, 53, 'udp')])
  expect(all.map((range) => portText(range))).toEqual(['80→80', '127.0.0.1:18001–18024→8001–8024', '[::1]:53→53/udp', '9000'])
  expect(portText(all[1] as (typeof all)[number], false)).toBe('18001–18024→8001–8024')
})

it('does not fold across addresses, protocols or gaps', () => {
  const texts = portRanges([bound('', 1, 1), bound('10.0.0.1', 2, 2), bound('', 4, 4), bound('', 5, 5, 'udp')]).map((range) =>
    portText(range),
  )
  expect(texts.sort()).toEqual(['10.0.0.1:2→2', '1→1', '4→4', '5→5/udp'])
})
