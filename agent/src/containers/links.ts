/** `--link` on the default bridge: Docker's old links. In a network of the user's a link is an alias of the name service, and networks/ knows it. */
import type { ContainerOptions } from '@berth/contract/container'
import { EngineError } from '../errors.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { linkEnvironment } from './link-environment.ts'
import { saveChange } from './save-change.ts'

/** Whether links are Docker's old ones: addresses in /etc/hosts, variables. */
export function onDefaultBridge({ networkMode }: ContainerOptions): boolean {
  return networkMode === '' || networkMode === 'default' || networkMode === 'bridge'
}

/**
 * Somebody who starts a container wants what it links to: it must run. The engine itself starts containers in any order, and is not asked.
 * @throws EngineError failed_precondition in Docker's words
 */
export function checkLinks(context: Context, { record }: Container): void {
  if (!onDefaultBridge(record.options)) return
  for (const link of record.options.links) {
    const [name, alias = name] = link.split(':') as [string, string | undefined]
    const other = context.index.resolve(name)
    if (other.record.options.networkMode === 'host')
      throw new EngineError(
        'invalid_argument',
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      )
    if (!other.task)
      throw new EngineError('failed_precondition', `Cannot link to a non running container: /${other.name} AS /${record.name}/${alias}`)
    if (!('bridge' in other.record.networks))
      throw new EngineError('failed_precondition', `cannot link to /${other.name}, as it does not belong to the default network`)
  }
}

/** Links are of the default bridge; a linked container that does not run has nothing to say. */
export function linkedEnvironment(context: Context, { record }: Container): string[] {
  if (!onDefaultBridge(record.options)) return []
  return record.options.links.flatMap((link) => {
    const [name, alias] = link.split(':') as [string, string | undefined]
    const other = context.index.resolve(name)
    const ipv4 = other.lease?.attached.find(({ networkName }) => networkName === 'bridge')?.ipv4
    if (!ipv4) return []
    const { exposedPorts } = other.record.effective
    return linkEnvironment({ child: record.name, alias: alias ?? name, ipv4, exposedPorts, env: other.record.options.env })
  })
}

/**
 * Forgets one link of a container, from its next start on. Neither container is touched.
 * @param spelled `web/db`, with or without a slash in front
 * @throws EngineError failed_precondition for the name of a container, not_found
 */
export async function removeLink(context: Context, spelled: string): Promise<void> {
  const [parent = '', alias = ''] = spelled.replace(/^\//, '').split('/')
  if (alias === '') throw new EngineError('failed_precondition', 'Conflict, cannot remove the default link name of the container')
  const container = context.index.resolve(parent)
  await container.inTurn(async () => {
    const isMeant = (link: string) => {
      const [other, as = other] = link.split(':')
      return as === alias
    }
    const { links } = container.record.options
    if (!links.some(isMeant)) throw new EngineError('not_found', `No such link: ${spelled}`)
    await saveChange(context, container, (record) => ({
      ...record,
      options: { ...record.options, links: links.filter((link) => !isMeant(link)) },
    }))
  })
}

/** Links mean a container, not a name: those who link to a renamed one say its new name from then on, under the alias that they had. */
export async function followRename(context: Context, from: string, to: string): Promise<void> {
  const linksTo = ({ record }: Container) =>
    onDefaultBridge(record.options) && record.options.links.some((link) => link.split(':')[0] === from)
  for (const container of [...context.index.values()].filter(linksTo))
    await container.inTurn(async () => {
      if (container.removing) return
      const { record } = container
      const links = record.options.links.map((link) => {
        const [name = '', alias = name] = link.split(':')
        return name === from ? `${to}:${alias}` : link
      })
      const changed = { ...record, options: { ...record.options, links } }
      await context.store.save(changed, true)
      container.record = changed
    })
}
