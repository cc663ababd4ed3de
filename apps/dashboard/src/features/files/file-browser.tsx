'use client'
import type { FileEntry, FileRoot } from '@berth/contract/file'
import { useQuery } from '@tanstack/react-query'
import { createColumnHelper } from '@tanstack/react-table'
import { Archive, Download, File, FileSymlink, Folder, FolderPlus, FolderUp, RotateCw, Upload, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { parseAsString, useQueryState } from 'nuqs'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '../../ui/button'
import { DataTable } from '../../ui/data-table'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Ago } from '../../ui/now'
import { visibleText } from '../../ui/visible-text'
import { dataUrl, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { chosenFiles, droppedFiles } from './dropped-files'
import { MakeDirectory, RemoveFile, RenameFile } from './file-dialogs'
import { FileMenu } from './file-menu'
import { FileViewer } from './file-viewer'
import { type Asking, joinPath, modeText, nameText, rootParameters } from './place'
import { type Uploads, useUploads } from './use-uploads'

const column = createColumnHelper<FileEntry>()
const inAddress = parseAsString.withDefault('/').withOptions({ history: 'push' })

/** The files of a container, running or not, or of a volume: look, download, upload, make, rename, remove, edit. Bytes never pass through the page's memory on a download. */
export function FileBrowser({ hostId, root }: { hostId: string; root: FileRoot }) {
  const t = useTranslations('files')
  const format = useFormat()
  const allow = useAllow(hostId)
  // In the address, so that Back goes up again and a place can be sent to somebody.
  const [path, setPath] = useQueryState('path', inAddress)
  const [asking, setAsking] = useState<Asking>(null)
  const [over, setOver] = useState(false)
  const denied = allow('files')
  const listing = useQuery(useAgent(hostId).files.list.queryOptions({ root, path }, { staleTime: 0, enabled: !denied }))
  const uploads = useUploads(hostId, root, path, () => void listing.refetch())
  const open = (entry: FileEntry) =>
    entry.type === 'directory' ? void setPath(joinPath(path, entry.name)) : setAsking({ what: 'view', entry })
  // biome-ignore lint/correctness/useExhaustiveDependencies: `open` follows from path
  const columns = useMemo(
    () => [
      column.accessor((entry) => `${entry.type === 'directory' ? 0 : 1}${entry.name}`, {
        id: 'name',
        meta: { label: t('name'), fixed: true },
        cell: ({ row: { original } }) => (
          <button
            type="button"
            data-row-link
            onClick={() => open(original)}
            className="flex max-w-full items-center gap-2 hover:text-accent"
          >
            <FileIcon entry={original} />
            <span className="truncate">{nameText(original.name)}</span>
            {original.linkTarget ? <span className="truncate text-ink-3 text-xs">→ {visibleText(original.linkTarget)}</span> : null}
          </button>
        ),
      }),
      column.accessor('sizeBytes', {
        id: 'size',
        meta: { label: t('size'), width: 100, align: 'right' },
        cell: ({ row: { original } }) => (original.type === 'file' ? format.bytes(original.sizeBytes) : ''),
      }),
      column.accessor('mode', {
        id: 'mode',
        meta: { label: t('mode'), width: 110, className: 'max-md:hidden' },
        cell: ({ getValue }) => <span className="font-mono text-xs">{modeText(getValue())}</span>,
      }),
      column.accessor((entry) => `${entry.uid}:${entry.gid}`, {
        id: 'owner',
        meta: { label: t('owner'), width: 100, className: 'max-lg:hidden' },
        cell: ({ getValue }) => <span className="tabular font-mono text-xs">{getValue()}</span>,
      }),
      column.accessor('modifiedAt', {
        id: 'modified',
        meta: { label: t('modified'), width: 120 },
        cell: ({ getValue }) => <Ago at={getValue()} className="text-ink-2" />,
      }),
      column.display({
        id: 'actions',
        meta: { label: t('actions'), fixed: true, width: 52, align: 'right' },
        cell: ({ row: { original } }) => (
          <FileMenu hostId={hostId} root={root} path={joinPath(path, original.name)} entry={original} onAsk={setAsking} />
        ),
      }),
    ],
    [t, format, path, hostId, root],
  )
  if (denied) return <EmptyState>{denied}</EmptyState>
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping files is a shortcut; the button beside the filter does the same by keyboard
    <div
      className="relative flex min-h-0 flex-1 flex-col"
      onDragOver={(event) => {
        event.preventDefault()
        setOver(event.dataTransfer.types.includes('Files'))
      }}
      onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node | null) || setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        void droppedFiles(event.dataTransfer).then(uploads.send)
      }}
    >
      {over ? (
        <p className="pointer-events-none absolute inset-2 z-20 grid place-items-center rounded-lg border-2 border-accent border-dashed bg-accent-soft/90 font-medium text-accent">
          {t('drop', { path })}
        </p>
      ) : null}
      <Crumbs path={path} onGo={(next) => void setPath(next)} />
      {listing.error ? <ErrorPanel error={listing.error} onRetry={() => void listing.refetch()} className="mx-3 mb-2 sm:mx-4" /> : null}
      <DataTable
        id="files"
        label={t('filesIn', { path })}
        rows={listing.data ?? []}
        columns={columns}
        rowId={(entry) => entry.name}
        rowName={(entry) => nameText(entry.name)}
        searchText={(entry) => entry.name}
        searchLabel={t('search')}
        initialSort={[{ id: 'name', desc: false }]}
        loading={listing.isPending}
        actions={
          <Tools
            hostId={hostId}
            root={root}
            path={path}
            uploads={uploads}
            busy={listing.isFetching}
            onAgain={() => void listing.refetch()}
            onMake={() => setAsking({ what: 'mkdir' })}
          />
        }
        card={(entry) => (
          <div className="-my-2 flex items-center justify-between gap-2">
            <button type="button" data-row-link onClick={() => open(entry)} className="flex min-w-0 flex-1 items-center gap-2 text-left">
              <FileIcon entry={entry} />
              <span className="min-w-0 flex-1 truncate">{nameText(entry.name)}</span>
              <span className="tabular text-ink-3 text-xs">{entry.type === 'file' ? format.bytes(entry.sizeBytes) : ''}</span>
            </button>
            <FileMenu hostId={hostId} root={root} path={joinPath(path, entry.name)} entry={entry} onAsk={setAsking} />
          </div>
        )}
        empty={listing.error ? null : <EmptyState icon={<Folder aria-hidden />}>{t('empty')}</EmptyState>}
      />
      <Dialogs
        hostId={hostId}
        root={root}
        path={path}
        asking={asking}
        onClose={() => setAsking(null)}
        onDone={() => void listing.refetch()}
      />
    </div>
  )
}

function Dialogs({
  hostId,
  root,
  path,
  asking,
  onClose,
  onDone,
}: {
  hostId: string
  root: FileRoot
  path: string
  asking: Asking
  onClose: () => void
  onDone: () => void
}) {
  if (!asking) return null
  if (asking.what === 'mkdir') return <MakeDirectory hostId={hostId} root={root} folder={path} onClose={onClose} onDone={onDone} />
  const target = joinPath(path, asking.entry.name)
  if (asking.what === 'view')
    return <FileViewer hostId={hostId} root={root} path={target} entry={asking.entry} onClose={onClose} onSaved={onDone} />
  if (asking.what === 'rename') return <RenameFile hostId={hostId} root={root} path={target} onClose={onClose} onDone={onDone} />
  return (
    <RemoveFile hostId={hostId} root={root} path={target} directory={asking.entry.type === 'directory'} onClose={onClose} onDone={onDone} />
  )
}

function Tools({
  hostId,
  root,
  path,
  uploads,
  busy,
  onAgain,
  onMake,
}: {
  hostId: string
  root: FileRoot
  path: string
  uploads: Uploads
  busy: boolean
  onAgain: () => void
  onMake: () => void
}) {
  const t = useTranslations('files')
  const format = useFormat()
  const input = useRef<HTMLInputElement>(null)
  const folderInput = useRef<HTMLInputElement>(null)
  const { progress } = uploads
  return (
    <span className="flex items-center gap-1">
      {progress ? (
        <>
          <span role="status" className="tabular max-w-64 truncate text-ink-3 text-xs">
            {progress.of > 1
              ? t('uploadingOf', {
                  done: progress.done + 1,
                  of: progress.of,
                  name: progress.name,
                  percent: format.percent(progress.percent),
                })
              : t('uploading', { name: progress.name, percent: format.percent(progress.percent) })}
          </span>
          <Button tone="quiet" size="icon" hint={t('cancelUpload')} onClick={uploads.cancel}>
            <X aria-hidden />
          </Button>
        </>
      ) : null}
      <input
        ref={folderInput}
        type="file"
        // @ts-expect-error React's types do not know it; every browser does
        webkitdirectory=""
        className="hidden"
        aria-label={t('uploadFolder')}
        onChange={(event) => {
          void uploads.send(chosenFiles(event.target.files))
          event.target.value = ''
        }}
      />
      <input
        ref={input}
        type="file"
        multiple
        className="hidden"
        aria-label={t('upload')}
        onChange={(event) => {
          void uploads.send(chosenFiles(event.target.files))
          event.target.value = ''
        }}
      />
      <Button busy={progress !== null} onClick={() => input.current?.click()}>
        <Upload aria-hidden />
        {t('upload')}
      </Button>
      <Button tone="quiet" size="icon" hint={t('uploadFolder')} busy={progress !== null} onClick={() => folderInput.current?.click()}>
        <FolderUp aria-hidden />
      </Button>
      <Button tone="quiet" size="icon" hint={t('mkdir')} onClick={onMake}>
        <FolderPlus aria-hidden />
      </Button>
      <Button
        tone="quiet"
        size="icon"
        hint={t('downloadFolder')}
        onClick={() => window.location.assign(dataUrl(hostId, 'files/archive', { ...rootParameters(root), path }))}
      >
        <Archive aria-hidden />
      </Button>
      <Button tone="quiet" size="icon" hint={t('again')} busy={busy} onClick={onAgain}>
        <RotateCw aria-hidden />
      </Button>
    </span>
  )
}

function Crumbs({ path, onGo }: { path: string; onGo: (path: string) => void }) {
  const t = useTranslations('files')
  const parts = path.split('/').filter(Boolean)
  const trail = useRef<HTMLElement>(null)
  const before = useRef(path)
  // The row that was opened is gone with its directory: the focus is where one is now, which is read out.
  useEffect(() => {
    if (before.current !== path) trail.current?.querySelector<HTMLElement>('[aria-current]')?.focus({ preventScroll: true })
    before.current = path
  }, [path])
  return (
    <nav
      ref={trail}
      aria-label={t('path')}
      className="flex shrink-0 items-center gap-0.5 overflow-x-auto px-3 pt-2 font-mono text-xs sm:px-4"
    >
      <button
        type="button"
        onClick={() => onGo('/')}
        className="rounded-sm px-1.5 py-0.5 hover:bg-hover"
        aria-current={parts.length === 0 ? 'page' : undefined}
      >
        /
      </button>
      {parts.map((part, index) => {
        const here = `/${parts.slice(0, index + 1).join('/')}`
        return (
          <span key={here} className="flex items-center">
            <button
              type="button"
              onClick={() => onGo(here)}
              className="rounded-sm px-1.5 py-0.5 hover:bg-hover"
              aria-current={index === parts.length - 1 ? 'page' : undefined}
            >
              {nameText(part)}
            </button>
            {index < parts.length - 1 ? <span className="text-ink-3">/</span> : null}
          </span>
        )
      })}
    </nav>
  )
}

function FileIcon({ entry }: { entry: FileEntry }) {
  if (entry.type === 'directory') return <Folder className="size-4 shrink-0 text-accent" aria-hidden />
  if (entry.type === 'link') return <FileSymlink className="size-4 shrink-0 text-ink-3" aria-hidden />
  if (entry.type === 'file') return <File className="size-4 shrink-0 text-ink-3" aria-hidden />
  return <Download className="size-4 shrink-0 rotate-90 text-ink-3" aria-hidden />
}
