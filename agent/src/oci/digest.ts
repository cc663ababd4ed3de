import { createHash } from 'node:crypto'
import { EngineError } from '../errors.ts'

/** `sha256:` and 64 lower-case hexadecimal characters: the one algorithm that images use and that we store under. */
export type Digest = string

const pattern = /^sha256:[0-9a-f]{64}$/

export function isDigest(text: string): text is Digest {
  return pattern.test(text)
}

/** @throws invalid_argument, naming what carried it */
export function checkDigest(text: unknown, what: string): Digest {
  if (typeof text === 'string' && pattern.test(text)) return text
  throw new EngineError('invalid_argument', `${what} has no valid sha256 digest: "${String(text).slice(0, 80)}"`)
}

/** The hexadecimal part, safe as a file name. */
export function hexOf(digest: Digest): string {
  return checkDigest(digest, 'a stored object').slice('sha256:'.length)
}

/** Twelve characters, as people see layers and images in lists. */
export function shortId(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12)
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** OCI image-spec, config.md "Layer ChainID": the names of each stack of layers, lowest first. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) chain.push(chain.length === 0 ? diffId : digestOf(`${chain.at(-1)} ${diffId}`))
  return chain
}
