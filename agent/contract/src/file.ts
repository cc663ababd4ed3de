import * as z from 'zod'

export const fileEntry = z.object({
  name: z.string(),
  type: z.enum(['file', 'directory', 'link', 'block', 'char', 'fifo', 'socket']),
  sizeBytes: z.number(),
  mode: z.number().int(),
  uid: z.number().int(),
  gid: z.number().int(),
  modifiedAt: z.string(),
  linkTarget: z.string().nullable(),
})
export type FileEntry = z.infer<typeof fileEntry>
/** Where a path is: inside a container (running or not), or inside a volume. */
export const fileRoot = z.union([z.object({ container: z.string() }), z.object({ volume: z.string() })])
export type FileRoot = z.infer<typeof fileRoot>
export const listFilesInput = z.object({
  root: fileRoot,
  path: z.string().default('/'),
  limit: z.number().int().min(1).max(20000).default(5000),
})
export const filePathInput = z.object({ root: fileRoot, path: z.string().min(1) })
/** `to`: absolute path in the same root. */
export const renameFileInput = filePathInput.extend({ to: z.string().min(1) })
