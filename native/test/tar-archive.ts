/**
 * Tar archives made by hand, header by header, so that a test can say what no archiver would: names that climb, owners that do not exist,
 * lengths that lie. Formats: POSIX.1-2001 (pax), GNU.
 */
export interface TarEntry {
  name: string | Buffer
  /** '0' file (default), '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' fifo, or any other byte. */
  type?: string
  mode?: number
  uid?: number
  gid?: number
  mtime?: number
  linkname?: string
  major?: number
  minor?: number
  content?: string | Buffer
  /** Size field when it should differ from the content's length. */
  size?: number
  /** Records of a pax header put in front. */
  pax?: Record<string, string | Buffer>
}

const block = 512

function octal(value: number, size: number): string {
  return `${value.toString(8).padStart(size - 1, '0')}\0`
}

function pad(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)])
}

function header(entry: TarEntry, size: number): Buffer {
  const out = Buffer.alloc(block)
  Buffer.from(entry.name as string).copy(out, 0, 0, 100)
  out.write(octal(entry.mode ?? 0o644, 8), 100)
  out.write(octal(entry.uid ?? 0, 8), 108)
  out.write(octal(entry.gid ?? 0, 8), 116)
  out.write(octal(size, 12), 124)
  out.write(octal(entry.mtime ?? 1_700_000_000, 12), 136)
  out.write('        ', 148)
  out.write(entry.type ?? '0', 156)
  out.write(entry.linkname ?? '', 157, 100)
  out.write('ustar\x0000', 257)
  out.write(octal(entry.major ?? 0, 8), 329)
  out.write(octal(entry.minor ?? 0, 8), 337)
  let sum = 0
  for (const byte of out) sum += byte
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return out
}

/** One pax record: its length counts itself. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')])
  let length = body.length
  while (String(length).length + body.length !== length) length = String(length).length + body.length
  return Buffer.concat([Buffer.from(String(length)), body])
}

/** The entries' bytes, without the end of the archive. */
export function tarEntries(entries: TarEntry[]): Buffer {
  const parts: Buffer[] = []
  for (const entry of entries) {
    if (entry.pax) {
      const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => paxRecord(key, value)))
      parts.push(header({ name: 'PaxHeaders/x', type: 'x' }, records.length), pad(records))
    }
    const content = Buffer.from((entry.content ?? '') as string)
    parts.push(header(entry, entry.size ?? content.length), pad(content))
  }
  return Buffer.concat(parts)
}

/** A whole archive. */
export function tarArchive(entries: TarEntry[]): Buffer {
  return Buffer.concat([tarEntries(entries), Buffer.alloc(2 * block)])
}
