import { expect, it } from 'vitest'
import { withPart } from './fleet-parts.ts'

const item = (host: string, id: string, state = 'running') => ({ host, id, state })
const host = (id: string, name = id) => ({ host: id, name })

it("replaces one host's items and keeps the others' objects", () => {
  const list = { hosts: [host('a'), host('b')], items: [item('a', '1'), item('b', '2'), item('a', '3')] }
  const next = withPart(list, { hosts: [host('a')], items: [item('a', '1'), item('a', '4', 'exited')] }, 'a')
  expect(next.items).toEqual([item('b', '2'), item('a', '1'), item('a', '4', 'exited')])
  expect(next.items[0]).toBe(list.items[1])
  expect(next.items[1]).toBe(list.items[0])
})

it('forgets a host that is gone and takes in one that is new', () => {
  const list = { hosts: [host('b')], items: [item('b', '2')] }
  expect(withPart(list, { hosts: [], items: [] }, 'b')).toEqual({ hosts: [], items: [] })
  expect(withPart(list, { hosts: [host('a')], items: [item('a', '1')] }, 'a').hosts).toEqual([host('a'), host('b')])
})
