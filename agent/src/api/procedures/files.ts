import { filePathInput, listFilesInput, renameFileInput } from '@berth/contract/file'
import { procedure, router } from '../procedure.ts'

export const filesRouter = router({
  list: procedure
    .input(listFilesInput)
    .query(({ ctx, input: { root, path, limit } }) =>
      'container' in root
        ? ctx.engine.containers.listFiles(root.container, path, limit)
        : ctx.engine.volumeFiles.listFiles(root.volume, path, limit),
    ),
  stat: procedure
    .input(filePathInput)
    .query(({ ctx, input: { root, path } }) =>
      'container' in root ? ctx.engine.containers.statPath(root.container, path) : ctx.engine.volumeFiles.statPath(root.volume, path),
    ),
  mkdir: procedure
    .input(filePathInput)
    .mutation(({ ctx, input: { root, path } }) =>
      'container' in root
        ? ctx.engine.containers.makeDirectory(root.container, path)
        : ctx.engine.volumeFiles.makeDirectory(root.volume, path),
    ),
  remove: procedure
    .input(filePathInput)
    .mutation(({ ctx, input: { root, path } }) =>
      'container' in root ? ctx.engine.containers.removeFile(root.container, path) : ctx.engine.volumeFiles.removeFile(root.volume, path),
    ),
  rename: procedure
    .input(renameFileInput)
    .mutation(({ ctx, input: { root, path, to } }) =>
      'container' in root
        ? ctx.engine.containers.renameFile(root.container, path, to)
        : ctx.engine.volumeFiles.renameFile(root.volume, path, to),
    ),
})
