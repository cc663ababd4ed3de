import type { ImageSummary } from '@berth/contract/image'
import type { Placed } from '../../wire/across'

export type ImageRow = Placed<ImageSummary>

/** The name that people know an image by: the shortest, which is not the one with a registry's address. */
export function imageName(image: Pick<ImageSummary, 'tags' | 'id'>): string {
  return image.tags.toSorted((a, b) => a.length - b.length)[0] ?? image.id.replace('sha256:', '').slice(0, 12)
}
