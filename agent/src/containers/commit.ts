import type { ImageConfig } from '@berth/contract/image'
import { EngineError } from '../errors.ts'
import { familiar, parseTagged } from '../oci/reference.ts'
import { applyChanges } from './commit-changes.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { whileFrozen } from './stop.ts'

/** The writable layer as a new image on top of the container's own. @throws EngineError invalid_argument (changes), resource_exhausted (disk) */
export async function commitContainer(
  context: Context,
  container: Container,
  options: { reference: string; comment: string; author: string; changes: string[]; pause: boolean },
  signal?: AbortSignal,
): Promise<{ id: string }> {
  const { record } = container
  if (container.removing) throw new EngineError('failed_precondition', `You cannot commit container ${container.id} which is being removed`)
  const base = context.images.resolve(record.image.id)
  const config = applyChanges(runningConfig(container, base.config), options.changes)
  const layer = await whileFrozen(context, container, options.pause, () =>
    context.snapshots.commit(container.id, { compress: 'gzip', signal }),
  )
  const { id } = await context.images.create(
    {
      parent: record.image.id,
      config,
      platform: record.image.platform,
      layers: [{ digest: layer.digest, sizeBytes: layer.sizeBytes, diffId: layer.diffId, mediaType: layer.mediaType }],
      history: [{ createdBy: record.effective.command.join(' '), comment: options.comment, author: options.author, emptyLayer: false }],
      author: options.author,
      comment: options.comment,
      ...(record.options.cmd ? { madeBy: record.options.cmd } : {}),
    },
    options.reference,
  )
  context.tell(container, 'commit', {
    comment: options.comment,
    imageID: id,
    imageRef: options.reference && familiar(parseTagged(options.reference)),
  })
  return { id }
}

/** What the container was told counts as the new image's configuration, as in Docker. */
function runningConfig({ record }: Container, base: ImageConfig): ImageConfig {
  const { options, effective } = record
  return {
    ...base,
    user: effective.user,
    env: effective.env,
    cmd: options.cmd ?? (options.entrypoint === null ? base.cmd : null),
    entrypoint: options.entrypoint ?? base.entrypoint,
    workingDir: effective.workingDir,
    labels: effective.labels,
    exposedPorts: effective.exposedPorts,
    volumes: [...new Set([...base.volumes])],
    stopSignal: options.stopSignal || base.stopSignal,
    healthcheck: options.healthcheck?.test.length ? options.healthcheck : base.healthcheck,
  }
}
