import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tarArchive } from './tar-archive'

it('is read by GNU tar, long and Chinese names too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-tar-'))
  try {
    const long = `${'deep/'.repeat(30)}file.txt`
    const archive = tarArchive([
      { path: 'Dockerfile', body: new Blob(['FROM scratch\n']) },
      { path: long, body: new Blob(['x'.repeat(513)]) },
      { path: '文件.txt', body: new Blob(['你好']), mode: 0o755 },
    ])
    writeFileSync(join(folder, 'a.tar'), Buffer.from(await archive.arrayBuffer()))
    execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder })
    expect(readFileSync(join(folder, 'Dockerfile'), 'utf8')).toBe('FROM scratch\n')
    expect(readFileSync(join(folder, long), 'utf8')).toHaveLength(513)
    expect(readFileSync(join(folder, '文件.txt'), 'utf8')).toBe('你好')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
