'use client'
import type { ComponentProps } from 'react'
import { useFieldIds } from './field'

/** Chooses files of this computer; with `folder`, a whole directory. */
export function FileInput({
  onFiles,
  folder,
  ...rest
}: { onFiles: (files: File[]) => void; folder?: boolean } & Omit<ComponentProps<'input'>, 'type' | 'onChange'>) {
  const field = useFieldIds()
  return (
    <input
      id={field?.control}
      aria-describedby={field?.describedBy}
      {...(folder ? { webkitdirectory: '' } : {})}
      {...rest}
      type="file"
      onChange={(event) => onFiles([...(event.target.files ?? [])])}
      className="w-full text-sm file:mr-3 file:h-control file:rounded-md file:border file:border-line-strong file:border-solid file:bg-raised file:px-3 file:font-medium file:text-ink hover:file:bg-hover"
    />
  )
}
