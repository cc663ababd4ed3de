'use client'
import { FolderOpen } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ComponentProps, useState } from 'react'
import { useFieldIds } from './field'

/** Chooses files of this computer; with `folder`, a whole directory. Drawn by us over the browser's own, whose words are in the browser's language and not in the page's. */
export function FileInput({
  onFiles,
  folder,
  ...rest
}: { onFiles: (files: File[]) => void; folder?: boolean } & Omit<ComponentProps<'input'>, 'type' | 'onChange'>) {
  const t = useTranslations('ui')
  const field = useFieldIds()
  const [chosen, setChosen] = useState<readonly File[]>([])
  const [first] = chosen
  const name = !first
    ? t('noFile')
    : folder
      ? t('folderChosen', { name: first.webkitRelativePath.split('/')[0] ?? '', count: chosen.length })
      : chosen.map((file) => file.name).join(', ')
  return (
    <div className="relative flex h-control min-w-0 items-center gap-2.5">
      <input
        id={field?.control}
        aria-describedby={field?.describedBy}
        {...(folder ? { webkitdirectory: '' } : {})}
        {...rest}
        type="file"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])]
          setChosen(files)
          onFiles(files)
        }}
        className="peer absolute inset-0 z-10 cursor-pointer opacity-0"
      />
      <span
        aria-hidden
        className="flex h-full shrink-0 items-center gap-1.5 rounded-md border border-line-strong bg-raised px-3 font-medium outline-2 outline-transparent outline-offset-1 peer-hover:bg-hover peer-focus-visible:outline-focus"
      >
        <FolderOpen className="size-3.75" aria-hidden />
        {t(folder ? 'chooseFolder' : 'chooseFile')}
      </span>
      <span aria-hidden className={first ? 'truncate' : 'truncate text-ink-3'}>
        {name}
      </span>
    </div>
  )
}
