import type { EngineEvent } from '@berth/contract/event'

/** Actions that change nothing that a list or a detail shows; health checks alone would otherwise read every list again each second. */
const silent = /^(exec_|attach$|detach$|resize$|top$|copy$|archive-path$|extract-to-dir$)/

/** What each noun's event makes untrue, as the first words of query paths of the agent's router. */
const touched: Record<EngineEvent['type'], readonly (readonly string[])[]> = {
  container: [
    ['containers', 'list'],
    ['containers', 'inspect'],
    ['containers', 'changes'],
    ['containers', 'top'],
    ['exec', 'list'],
    ['system', 'info'],
    ['system', 'diskUsage'],
    ['images', 'list'],
    ['volumes', 'list'],
    ['volumes', 'inspect'],
    ['networks', 'list'],
    ['networks', 'inspect'],
  ],
  image: [['images'], ['system', 'info'], ['system', 'diskUsage']],
  volume: [['volumes'], ['system', 'info'], ['system', 'diskUsage']],
  network: [['networks'], ['containers', 'inspect'], ['containers', 'list'], ['system', 'info']],
  builder: [['system', 'diskUsage']],
  operation: [['operations']],
  daemon: [['system'], ['registries']],
}

/** Actions of a container after which who uses which image, volume or network is another. */
const structural = new Set(['create', 'destroy', 'rename', 'start', 'die'])

/**
 * Which queries of a host these events make untrue. Pure; without duplicates. `exec_*` touches `exec.list` alone.
 */
export function pathsTouchedBy(events: readonly EngineEvent[]): readonly (readonly string[])[] {
  const paths = new Map<string, readonly string[]>()
  const add = (path: readonly string[]): void => {
    paths.set(path.join('.'), path)
  }
  for (const event of events) {
    if (event.type === 'container' && silent.test(event.action)) {
      // A health check's execs carry no id that anybody lists.
      if (event.action.startsWith('exec_') && event.attributes.healthcheck === undefined) add(['exec', 'list'])
      continue
    }
    for (const path of touched[event.type]) {
      const related = event.type === 'container' && ['images', 'volumes', 'networks'].includes(path[0] as string)
      if (!related || structural.has(event.action)) add(path)
    }
  }
  return [...paths.values()]
}
