import { expect, it } from 'vitest'
import { isRepository, repositoryPlace } from './git-repository.ts'

it('tells repositories from other URLs', () => {
  for (const url of ['https://x.org/a.git', 'http://x/a.git#main:docs', 'git://x/a', 'git@github.com:a/b.git', 'github.com/a/b'])
    expect(isRepository(url)).toBe(true)
  for (const url of ['https://x.org/a.tar', 'https://x.org/a.gitx', 'a.git', 'dir/a']) expect(isRepository(url)).toBe(false)
})

it('reads branch and directory', () => {
  expect(repositoryPlace('https://x.org/a.git#v1.0:docs/./b')).toEqual({ url: 'https://x.org/a.git', ref: 'v1.0', directory: 'docs/b' })
  expect(repositoryPlace('github.com/a/b')).toEqual({ url: 'https://github.com/a/b', ref: '', directory: '' })
})

it.each([
  ['git@github.com:a/b.git', 'ssh needs keys'],
  ['https://x.org/a.git#--upload-pack=x', 'is not a branch'],
  ['https://x.org/a.git#main:../..', 'leads out of the repository'],
])('refuses %s', (url, message) => {
  expect(() => repositoryPlace(url)).toThrow(message)
})
