import type { FileEntry, FileRoot } from '@berth/contract/file'
import { visibleText } from '../../ui/visible-text'

/** Which dialog is open. */
export type Asking = { what: 'remove' | 'rename'; entry: FileEntry } | { what: 'mkdir' } | { what: 'view'; entry: FileEntry } | null

/** `/a/b` + `c`. */
export function joinPath(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`
}

/** Parameters of the data routes for a place. */
export function rootParameters(root: FileRoot): Record<string, string> {
  return 'container' in root ? { container: root.container } : { volume: root.volume }
}

/** A name as it can be read in one line: what would not be seen, or would break the line, stands as a sign. */
export function nameText(name: string): string {
  return visibleText(name).replaceAll('\n', '␊').replaceAll('\t', '␉')
}

/** `rwxr-xr-x` of a mode's lower bits. */
export function modeText(mode: number): string {
  return [6, 3, 0].map((shift) => ['r', 'w', 'x'].map((letter, bit) => ((mode >> shift) & (4 >> bit) ? letter : '-')).join('')).join('')
}
