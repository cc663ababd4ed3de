import { expect, it } from 'vitest'
import { findInJson, flatJson } from './flat-json'

const value = { a: { env: ['X=1', 'y'], labels: { 'com.docker.x': 'z' }, none: null, empty: [], nothing: {} }, n: 1 }

it('says of each value where it stands', () => {
  expect(flatJson(value)).toEqual([
    'a.env[0] = "X=1"',
    'a.env[1] = "y"',
    'a.labels["com.docker.x"] = "z"',
    'a.none = null',
    'a.empty = []',
    'a.nothing = {}',
    'n = 1',
  ])
})

it('finds by path and by value, all words, any case', () => {
  expect(findInJson(value, 'ENV x=')).toEqual(['a.env[0] = "X=1"'])
  expect(findInJson(value, 'docker')).toEqual(['a.labels["com.docker.x"] = "z"'])
  expect(findInJson(value, 'nowhere')).toEqual([])
})
