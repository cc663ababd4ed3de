import { EngineError } from '../errors.ts'

type Filterable = { name: string; labels: Record<string, string> }

/** `docker volume ls -f`: dangling, driver, label, name. @throws invalid_argument for any other */
export function compileFilters(filters: Record<string, string[]>): (volume: Filterable, used: boolean) => boolean {
  const tests = Object.entries(filters).map(([key, values]): ((volume: Filterable, used: boolean) => boolean) => {
    if (values.length === 0) return () => true
    switch (key) {
      case 'dangling': {
        const wanted = values.map(flag)
        return (_volume, used) => wanted.includes(!used)
      }
      case 'driver':
        return () => values.includes('local')
      case 'label':
        return (volume) => values.every((value) => hasLabel(volume.labels, value))
      case 'name':
        return (volume) => values.some((value) => volume.name.includes(value))
      default:
        throw new EngineError('invalid_argument', `Invalid filter '${key.slice(0, 64)}'`)
    }
  })
  return (volume, used) => tests.every((test) => test(volume, used))
}

export function hasLabel(labels: Record<string, string>, filter: string): boolean {
  const equals = filter.indexOf('=')
  return equals < 0 ? filter in labels : labels[filter.slice(0, equals)] === filter.slice(equals + 1)
}

function flag(text: string): boolean {
  if (['true', '1', 't'].includes(text.toLowerCase())) return true
  if (['false', '0', 'f'].includes(text.toLowerCase())) return false
  throw new EngineError('invalid_argument', `Invalid filter 'dangling=${text.slice(0, 32)}'; use true or false`)
}
