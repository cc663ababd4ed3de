/** One file of an archive. `path` has forward slashes and no leading one. */
export interface ArchiveFile {
  path: string
  body: Blob
  mode?: number
  modifiedAt?: number
}

const encoder = new TextEncoder()

/** A POSIX ustar archive with pax headers for what ustar cannot say (pax(1), "ustar Interchange Format"). The bodies are not read: the archive refers to them. */
export function tarArchive(files: readonly ArchiveFile[]): Blob {
  const parts: (Blob | Uint8Array<ArrayBuffer>)[] = []
  for (const file of files) {
    const name = encoder.encode(file.path)
    if (name.length > 100) {
      const record = paxRecord('path', file.path)
      parts.push(header('PaxHeader', record.length, { type: 'x' }), record, padding(record.length))
    }
    parts.push(
      header(file.path, file.body.size, { type: '0', mode: file.mode, modifiedAt: file.modifiedAt }),
      file.body,
      padding(file.body.size),
    )
  }
  parts.push(new Uint8Array(1024))
  return new Blob(parts, { type: 'application/x-tar' })
}

/** "LENGTH key=value\n", where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array<ArrayBuffer> {
  const rest = ` ${key}=${value}\n`
  const bytes = encoder.encode(rest).length
  let length = bytes + 1
  while (`${length}`.length + bytes !== length) length += 1
  return encoder.encode(`${length}${rest}`)
}

function header(path: string, size: number, options: { type: string; mode?: number; modifiedAt?: number }): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(512)
  const put = (text: string, at: number, length: number) => block.set(encoder.encode(text).slice(0, length), at)
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, '0')
  put(path, 0, 100)
  put(octal(options.mode ?? 0o644, 8), 100, 8)
  put(octal(0, 8), 108, 8)
  put(octal(0, 8), 116, 8)
  put(octal(size, 12), 124, 12)
  put(octal(Math.floor((options.modifiedAt ?? 0) / 1000), 12), 136, 12)
  put('        ', 148, 8)
  put(options.type, 156, 1)
  put('ustar\u000000', 257, 8)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8)
  return block
}

function padding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((512 - (size % 512)) % 512)
}
