import { once } from 'node:events'
import { buildOptions } from '@berth/contract/build'
import type { operationKinds } from '@berth/contract/operation'
import { EngineError } from '../../errors.ts'
import type { OperationContext } from '../../operations/operations.ts'
import { answerOperation, type DataRequest, need, sendStream } from './route.ts'

export async function downloadLogs(data: DataRequest): Promise<void> {
  const { engine, query, response, signal } = data
  const container = engine.containers.resolveId(need(query, 'container'))
  const withTime = query.get('timestamps') === '1' || query.get('timestamps') === 'true'
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="${container.slice(0, 12)}.log"`,
    'x-content-type-options': 'nosniff',
  })
  const request = {
    container,
    stdout: true,
    stderr: true,
    tail: null,
    since: query.get('since') ?? undefined,
    until: query.get('until') ?? undefined,
    follow: false,
  }
  await engine.logs.raw(
    request,
    async (records) => {
      const parts = records.flatMap((record) => (withTime ? [Buffer.from(`${record.at} `), record.bytes] : [record.bytes]))
      if (!response.write(Buffer.concat(parts))) await once(response, 'drain', { signal })
    },
    signal,
  )
  response.end()
}

export async function exportContainer(data: DataRequest): Promise<void> {
  const name = need(data.query, 'container')
  await sendStream(data, await data.engine.containers.export(name, data.signal), { type: 'application/x-tar', filename: `${name}.tar` })
}

export async function saveImages(data: DataRequest): Promise<void> {
  const images = data.query.getAll('image')
  if (images.length === 0) need(data.query, 'image')
  const filename = images.length === 1 ? `${images[0]?.replace(/[/:@]/g, '_')}.tar` : 'images.tar'
  await sendStream(data, await data.engine.images.save(images, data.signal), { type: 'application/x-tar', filename })
}

export const loadImages = (data: DataRequest) =>
  operate(data, 'load', 'an archive', (operation) => data.engine.images.load(data.request, operation))

export const importImage = (data: DataRequest) => {
  const reference = data.query.get('reference') ?? ''
  return operate(data, 'import', reference || 'an untagged image', (operation) =>
    data.engine.images.import(
      data.request,
      { reference, message: data.query.get('message') ?? '', changes: data.query.getAll('change') },
      operation,
    ),
  )
}

export const build = (data: DataRequest) => {
  const options = buildOptions.parse(parseJson(data.query.get('options') ?? '{}'))
  return operate(data, 'build', options.tags.join(', ') || options.dockerfile, (operation) =>
    data.engine.builder.build(data.request, options, {}, operation, {
      hostAccess: data.caller.via === 'local' || !data.engine.config.policy.noPrivileged,
    }),
  )
}

export async function backupVolume(data: DataRequest): Promise<void> {
  const volume = need(data.query, 'volume')
  await sendStream(data, await data.engine.volumes.backup(volume, data.signal), { type: 'application/gzip', filename: `${volume}.tar.gz` })
}

export const restoreVolume = (data: DataRequest) => {
  const volume = need(data.query, 'volume')
  return operate(data, 'restore', volume, (operation) => data.engine.volumes.restore(volume, data.request, operation.signal))
}

async function operate(
  data: DataRequest,
  kind: (typeof operationKinds)[number],
  subject: string,
  run: (operation: OperationContext) => Promise<unknown>,
): Promise<void> {
  const { operation, done } = data.engine.operations.start({ kind, subject, startedBy: data.caller.userName }, run)
  await answerOperation(data, operation, done)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new EngineError('invalid_argument', 'the query parameter "options" is not JSON')
  }
}
