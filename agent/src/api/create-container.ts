import type { CreateContainerInput } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import type { ApiContext } from './context.ts'
import { requireAllowedContainer } from './policy.ts'

/** `containers.create`: the host's policy, then the image by its pull policy, then the container. @throws permission_denied, what pull and create throw */
export async function createContainer(context: ApiContext, input: CreateContainerInput): Promise<{ id: string; warnings: string[] }> {
  const { engine } = context
  await requireAllowedContainer(context, input.options)
  if (input.pull === 'always' || (input.pull === 'missing' && !hasImage(context, input.options.image))) await pull(context, input)
  return engine.containers.create({ name: input.name, options: input.options })
}

function hasImage({ engine }: ApiContext, reference: string): boolean {
  try {
    engine.images.resolve(reference)
    return true
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not_found') return false
    throw error
  }
}

async function pull({ engine, caller }: ApiContext, { options }: CreateContainerInput): Promise<void> {
  const about = { kind: 'pull' as const, subject: options.image, startedBy: caller.userName }
  await engine.operations.start(about, (operation) =>
    engine.images.pull({ reference: options.image, platform: options.platform }, operation),
  ).done
}
