'use client'
import type { FileEntry, FileRoot } from '@berth/contract/file'
import { useQuery } from '@tanstack/react-query'
import { Download } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { CodeEditor, type CodeLanguage } from '../../ui/code-editor'
import { Sheet } from '../../ui/dialog'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { SkeletonRows } from '../../ui/skeleton'
import { useAction } from '../../ui/use-action'
import { dataUrl } from '../../wire/agent'
import { downloadText, upload } from '../../wire/upload'
import { rootParameters } from './place'

/** Greater files are only downloaded. */
const mostBytes = 1024 * 1024

/** A text file, to look at and to change. What is not text, or is too long, can be downloaded. */
export function FileViewer({
  hostId,
  root,
  path,
  entry,
  onClose,
  onSaved,
}: {
  hostId: string
  root: FileRoot
  path: string
  entry: FileEntry
  onClose: () => void
  onSaved: () => void
}) {
  const t = useTranslations('files')
  const format = useFormat()
  const tooLong = entry.sizeBytes > mostBytes
  const url = dataUrl(hostId, 'files/content', { ...rootParameters(root), path })
  const file = useQuery({
    queryKey: ['file', hostId, root, path],
    queryFn: () => downloadText(url),
    enabled: !tooLong,
    gcTime: 0,
    staleTime: 0,
  })
  const [edited, setEdited] = useState<string | null>(null)
  const binary = file.data?.includes('\u0000') ?? false
  const save = useAction((text: string) => upload(url, 'PUT', new Blob([text])), {
    done: () => t('saved', { name: entry.name }),
    failed: () => t('saveFailed', { name: entry.name }),
    after: () => {
      onSaved()
      onClose()
    },
  })
  const language: CodeLanguage = /\.json$/.test(path) ? 'json' : /\.ya?ml$/.test(path) ? 'yaml' : 'text'
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      sticky={edited !== null}
      size="wide"
      title={<span className="font-mono text-base">{entry.name}</span>}
      description={`${path} · ${format.bytes(entry.sizeBytes)}`}
      footer={
        <>
          <Button onClick={() => window.location.assign(url)}>
            <Download aria-hidden />
            {t('download')}
          </Button>
          <Button
            tone="primary"
            disabledReason={edited === null ? t('unchanged') : null}
            busy={save.busy}
            onClick={() => edited !== null && save.run(edited)}
          >
            {t('save')}
          </Button>
        </>
      }
    >
      {tooLong ? <Notice>{t('tooLong')}</Notice> : null}
      {file.error ? <ErrorPanel error={file.error} onRetry={() => void file.refetch()} /> : null}
      {file.isPending && !tooLong ? <SkeletonRows /> : null}
      {binary ? <Notice>{t('binary')}</Notice> : null}
      {file.data !== undefined && !binary ? (
        <CodeEditor value={edited ?? file.data} language={language} label={path} onChange={setEdited} className="h-full" />
      ) : null}
    </Sheet>
  )
}
