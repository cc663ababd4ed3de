import { type ClassValue, clsx } from 'clsx'
import { extendTailwindMerge } from 'tailwind-merge'

const merge = extendTailwindMerge({
  extend: {
    classGroups: {
      'font-size': [{ text: ['2xs', 'xs', 'sm', 'base', 'lg', 'xl', '2xl'] }],
      h: ['h-control', 'h-row', 'h-bar'],
      w: ['w-control', 'w-rail'],
    },
  },
})

/** Joins class names; of two Tailwind classes that say different things about the same property, the later wins. */
export function cn(...values: ClassValue[]): string {
  return merge(clsx(values))
}
