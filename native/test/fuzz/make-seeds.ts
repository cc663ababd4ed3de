/** Writes the seeds of the unpack harness (first byte: 1 = mend checksums, 2 = as a layer): `npx tsx native/test/fuzz/make-seeds.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tarArchive } from '../tar-archive.ts'

const directory = join(import.meta.dirname, 'unpack.seeds')
const layer = tarArchive([
  { name: 'd/', type: '5' },
  { name: 'd/f', content: 'content' },
  { name: 'd/h', type: '1', linkname: 'd/f' },
  { name: 's', type: '2', linkname: '../marker' },
  { name: 's/x', content: 'x' },
  { name: '.wh.d' },
  { name: 'd/.wh..wh..opq' },
  { name: 'p', type: '6' },
])
const pax = tarArchive([
  { name: 'x', pax: { path: '../marker', mtime: '-1.5', uid: '5', 'SCHILY.xattr.user.k': 'v' } },
  {
    name: 'x',
    content: '1\n0\n512\n'.padEnd(512, '\0') + 'y'.repeat(512),
    pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 's', 'GNU.sparse.realsize': '4096' },
  },
  { name: '././@LongLink', type: 'L', content: `${'n'.repeat(120)}\0` },
  { name: 'x', type: '3', major: 1, minor: 3 },
])
mkdirSync(directory, { recursive: true })
for (const [name, bytes] of Object.entries({ layer, pax, gzip: gzipSync(layer) }))
  for (const flags of [1, 3]) writeFileSync(join(directory, `${name}-${flags}`), Buffer.concat([Buffer.from([flags]), bytes]))
