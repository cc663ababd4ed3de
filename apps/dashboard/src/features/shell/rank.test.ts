import { describe, expect, it } from 'vitest'
import { bestEntries, rank } from './rank'

it('finds by words in any order, beginnings of words first', () => {
  expect(rank('web nginx stop', 'stop web')).toBeGreaterThan(0)
  expect(rank('web nginx stop', 'start web')).toBe(0)
  expect(rank('shop-web nginx', 'web')).toBeGreaterThan(rank('cobweb nginx', 'web'))
  expect(rank('web nginx', 'web')).toBeGreaterThan(rank('shop-web nginx', 'web'))
})

describe('bestEntries', () => {
  const entry = (group: string, text: string, weight = 1, atFirst = true) => ({ group, text, weight, atFirst })
  const entries = [
    entry('containers', 'web nginx'),
    entry('containers', 'web nginx stop', 0.9, false),
    entry('containers', 'cobweb nginx'),
    entry('volumes', 'web-data', 1, false),
    entry('pages', 'events'),
  ]
  const shown = (typed: string, most = 9) =>
    bestEntries(entries, typed, most).map(({ group, entries: found }) => `${group}: ${found.map((one) => one.text).join(', ')}`)

  it('shows a thing before what can be done with it, and the better match first', () => {
    expect(shown('web')).toEqual(['containers: web nginx, web nginx stop, cobweb nginx', 'volumes: web-data'])
    expect(shown('stop web')).toEqual(['containers: web nginx stop'])
    expect(shown('web-d')).toEqual(['volumes: web-data'])
  })
  it('shows what is asked for often while nothing is typed', () => {
    expect(shown('')).toEqual(['containers: web nginx, cobweb nginx', 'pages: events'])
  })
  it('keeps a group short', () => {
    expect(shown('web', 1)).toEqual(['containers: web nginx', 'volumes: web-data'])
  })
})
