import { expect, it } from 'vitest'
import { hideSecret } from './hide-secret'

it('covers what looks secret and nothing else', () => {
  expect(hideSecret('POSTGRES_PASSWORD=hunter2')).toBe('POSTGRES_PASSWORD=••••••')
  expect(hideSecret('AWS_SECRET_ACCESS_KEY=x')).toBe('AWS_SECRET_ACCESS_KEY=••••••')
  expect(hideSecret('GITHUB_TOKEN=x')).toBe('GITHUB_TOKEN=••••••')
  expect(hideSecret('DB=postgres://app:s3cret@db:5432/app?x=1')).toBe('DB=postgres://app:••••••@db:5432/app?x=1')
  for (const plain of [
    'PATH=/usr/bin',
    'POSTGRES_PASSWORD_FILE=/run/secrets/pw',
    'KEYBOARD=us',
    'EMPTY_TOKEN=',
    'URL=http://db:80/',
    'NAME',
  ])
    expect(hideSecret(plain)).toBe(plain)
})
