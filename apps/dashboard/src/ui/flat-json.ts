/** A JSON value as one `path = value` per line, so that it can be searched line by line and each line says where it stands. */
export function flatJson(value: unknown, path = ''): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((part, index) => flatJson(part, `${path}[${index}]`))
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, part]) => flatJson(part, join(path, key)))
  return [`${path} = ${JSON.stringify(value)}`]
}

function join(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path ? `${path}.${key}` : key
}

/** The lines that hold every word of the query, whatever their case. */
export function findInJson(value: unknown, query: string): string[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  return flatJson(value).filter((line) => words.every((word) => line.toLowerCase().includes(word)))
}
