'use client'
import type { FileRoot } from '@berth/contract/file'
import { useTranslations } from 'next-intl'
import { useRef, useState } from 'react'
import { tarArchive } from '../../ui/tar-archive'
import { sayDone, sayFailed } from '../../ui/toaster'
import { dataUrl } from '../../wire/agent'
import { failureOf } from '../../wire/failure'
import { upload } from '../../wire/upload'
import type { FileToSend } from './dropped-files'
import { joinPath, rootParameters } from './place'

export interface Uploads {
  send: (files: readonly FileToSend[]) => Promise<void>
  /** What is on its way; null when nothing is. */
  progress: { name: string; done: number; of: number; percent: number } | null
  cancel: () => void
}

/**
 * Sends files into a directory: those out of directories as one archive, the others one after the other. A file that fails does not keep the next from
 * being sent; at the end one message says how many are there.
 */
export function useUploads(hostId: string, root: FileRoot, folder: string, done: () => void): Uploads {
  const t = useTranslations('files')
  const [progress, setProgress] = useState<Uploads['progress']>(null)
  const stop = useRef<AbortController | null>(null)
  const send = async (files: readonly FileToSend[]) => {
    if (files.length === 0) return
    stop.current = new AbortController()
    const { signal } = stop.current
    const nested = files.filter((one) => one.path.includes('/'))
    const parcels = [
      ...files
        .filter((one) => !one.path.includes('/'))
        .map((one) => ({ name: one.path, route: 'files/content', body: one.file as Blob, count: 1 })),
      ...(nested.length > 0
        ? [
            {
              name: nested[0]?.path.split('/')[0] ?? '',
              route: 'files/archive',
              body: tarArchive(nested.map(({ path, file }) => ({ path, body: file, modifiedAt: file.lastModified }))),
              count: nested.length,
            },
          ]
        : []),
    ]
    let there = 0
    for (const [index, { name, route, body, count }] of parcels.entries()) {
      if (signal.aborted) break
      const path = route === 'files/content' ? joinPath(folder, name) : folder
      const show = (sent: number) =>
        setProgress({ name, done: index, of: parcels.length, percent: body.size ? Math.min(100, (sent / body.size) * 100) : 100 })
      show(0)
      try {
        await upload(dataUrl(hostId, route, { ...rootParameters(root), path }), 'PUT', body, { onProgress: show, signal })
        there += count
      } catch (error) {
        if (failureOf(error).code !== 'cancelled') sayFailed(t('uploadFailed', { name }), error)
        // A directory comes file by file; what has come is not taken back, because it may have replaced something.
        else if (route === 'files/archive') sayDone(t('uploadStopped', { name }))
      }
    }
    setProgress(null)
    if (there === 1 && files.length === 1) sayDone(t('uploaded', { name: files[0]?.path ?? '' }))
    else if (there > 0) sayDone(t('uploadedMany', { count: there }))
    done()
  }
  return { send, progress, cancel: () => stop.current?.abort() }
}
