import type { FileEntry } from '@berth/contract/file'

/** Looking into and changing a volume's files, with the same promises as containers/ gives for a container's. Links never lead out of the volume. */
export interface VolumeFiles {
  statPath(volume: string, path: string): Promise<{ name: string; sizeBytes: number; mode: number; modifiedAt: string; linkTarget: string }>
  listFiles(volume: string, path: string, limit: number): Promise<FileEntry[]>
  makeDirectory(volume: string, path: string): Promise<void>
  removeFile(volume: string, path: string): Promise<void>
  renameFile(volume: string, from: string, to: string): Promise<void>
  getArchive(volume: string, path: string, signal?: AbortSignal): Promise<NodeJS.ReadableStream>
  putArchive(volume: string, path: string, archive: NodeJS.ReadableStream): Promise<void>
}
