import type { ContainerDetail } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import { beginStream, type Call, flag, type Route, writeOut } from './call.ts'
import { instant } from './filters.ts'

const headerBytes = 8

/**
 * Everything that a container has logged so far, as attach's `logs=1` repeats it: `write` gets one buffer a batch, framed unless `plain`, and holds the reading
 * until it has resolved.
 * @throws EngineError failed_precondition when its logging driver keeps nothing
 */
export async function repeatLog(
  call: Call,
  detail: ContainerDetail,
  { plain, ...wanted }: { stdout: boolean; stderr: boolean; plain: boolean },
  write: (bytes: Buffer) => Promise<void>,
): Promise<void> {
  checkReadable(detail)
  await call.engine.logs.raw(
    { container: detail.id, ...wanted, tail: null, follow: false },
    (records) => write(framed(records, { terminal: plain, timestamps: false, details: '' })),
    call.signal,
  )
}

function checkReadable(detail: ContainerDetail): void {
  if (detail.options.log.driver === 'none')
    throw new EngineError('failed_precondition', 'configured logging driver does not support reading')
}

/** One buffer of a whole batch: a line costs two small writes into it, and no buffer of its own. */
function framed(
  records: readonly { stream: 'stdout' | 'stderr'; at: string; bytes: Buffer }[],
  { terminal, timestamps, details }: { terminal: boolean; timestamps: boolean; details: string },
): Buffer {
  const prefixOf = (record: { at: string }) => (timestamps ? `${record.at} ${details}` : details)
  let size = 0
  for (const record of records)
    size += (terminal ? 0 : headerBytes) + (timestamps || details ? prefixOf(record).length : 0) + record.bytes.length
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const record of records) {
    const prefix = timestamps || details ? prefixOf(record) : ''
    if (!terminal) {
      out.writeUInt32BE(record.stream === 'stderr' ? 0x02000000 : 0x01000000, at)
      out.writeUInt32BE(prefix.length + record.bytes.length, at + 4)
      at += headerBytes
    }
    if (prefix) at += out.write(prefix, at, 'latin1')
    out.set(record.bytes, at)
    at += record.bytes.length
  }
  return out
}

/**
 * What `--log-opt labels=…`, `env=…`, `labels-regex=…`, `env-regex=…`, `tag=…` ask to be told with each line, as Docker writes it: sorted, escaped as in a query.
 * They belong to the container and not to the line, so that nothing of them is in the log file.
 */
export async function logAttributes(detail: Pick<ContainerDetail, 'options' | 'effective' | 'id' | 'name' | 'imageId'>): Promise<string> {
  const { options, effective } = detail
  const asked = options.log.options
  const environment = Object.fromEntries(
    effective.env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  const attributes: Record<string, string> = {
    ...(await chosen(effective.labels, asked.labels, asked['labels-regex'])),
    ...(await chosen(environment, asked.env, asked['env-regex'])),
    ...(asked.tag ? { tag: logTag(asked.tag, detail) } : {}),
  }
  const escaped = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
  return Object.keys(attributes)
    .sort()
    .map((key) => `${escaped(key)}=${escaped(attributes[key] as string)}`)
    .join(',')
}

/** `--log-opt tag=…` with the fields that checkOptions lets through. https://docs.docker.com/engine/logging/log_tags/ */
function logTag(template: string, { id, name, imageId, options }: Pick<ContainerDetail, 'id' | 'name' | 'imageId' | 'options'>): string {
  const image = imageId.replace(/^sha256:/, '')
  const fields: Record<string, string> = {
    ID: id.slice(0, 12),
    FullID: id,
    Name: name,
    ImageID: image.slice(0, 12),
    ImageFullID: imageId,
    ImageName: options.image,
    DaemonName: 'docker',
  }
  return template.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_, field: string) => fields[field] ?? '')
}

async function chosen(all: Record<string, string>, names = '', pattern = ''): Promise<Record<string, string>> {
  const wanted = new Set(names.split(','))
  // Linear in the name: a pattern cannot hold up the agent.
  const matches = pattern ? new (await import('re2-wasm')).RE2(pattern, 'u') : null
  return Object.fromEntries(Object.entries(all).filter(([key]) => wanted.has(key) || matches?.test(key)))
}

/** `GET /containers/{id}/logs`. Records are gathered into one write a batch; the peer's speed is the reader's speed. */
async function logs(call: Call): Promise<void> {
  const container = call.params[0] as string
  const stdout = flag(call.query, 'stdout')
  const stderr = flag(call.query, 'stderr')
  if (!stdout && !stderr) throw new EngineError('invalid_argument', 'Bad parameters: you must choose at least one stream')
  const detail = await call.engine.containers.inspect(container)
  checkReadable(detail)
  const tailText = call.query.get('tail') ?? 'all'
  // As in Docker: what is not a number means everything.
  const tail = /^\d+$/.test(tailText) ? Number(tailText) : null
  const moment = (name: string) => {
    const value = call.query.get(name)
    return value === null || value === '' || value === '0' ? undefined : instant(value)
  }
  const query = { container, stdout, stderr, tail, since: moment('since'), until: moment('until'), follow: flag(call.query, 'follow') }
  const timestamps = flag(call.query, 'timestamps')
  const details = flag(call.query, 'details') ? `${await logAttributes(detail)} ` : ''
  const terminal = detail.options.terminal
  beginStream(call, terminal || call.minor < 42 ? 'application/vnd.docker.raw-stream' : 'application/vnd.docker.multiplexed-stream')
  try {
    await call.engine.logs.raw(
      query,
      async (records) => {
        await writeOut(call.response, framed(records, { terminal, timestamps, details }))
      },
      call.signal,
    )
  } catch (error) {
    if (call.signal.aborted) return
    // The head is out: the reason goes to the log, and the broken connection tells the client that this is not all.
    call.log.error({ err: error, container }, 'reading logs for a docker client failed')
    call.response.destroy()
    return
  }
  call.response.end()
}

export const logRoutes: readonly Route[] = [['GET', /^\/containers\/([^/]+)\/logs$/, logs]]
