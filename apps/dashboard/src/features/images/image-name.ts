import type { ImageSummary } from '@berth/contract/image'
import type { Placed } from '../../wire/across'

export type ImageRow = Placed<ImageSummary>

/** The name that people know an image by. */
export function imageName(image: Pick<ImageSummary, 'tags' | 'id'>): string {
  return image.tags[0] ?? image.id.replace('sha256:', '').slice(0, 12)
}
