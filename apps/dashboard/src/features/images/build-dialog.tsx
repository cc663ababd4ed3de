'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { useShowTask } from '../../ui/dock'
import { Field } from '../../ui/field'
import { FileInput } from '../../ui/file-input'
import { useFormat } from '../../ui/format'
import { Input, Textarea } from '../../ui/input'
import { Meter } from '../../ui/meter'
import { Fold } from '../../ui/section'
import { Select } from '../../ui/select'
import { tarArchive } from '../../ui/tar-archive'
import { dataUrl } from '../../wire/agent'
import { useHost } from '../../wire/hosts'
import { upload } from '../../wire/upload'

type Source = 'text' | 'folder' | 'archive'

/** Builds an image from a Dockerfile typed here, a folder of this computer, or an archive. The output stands in the dock, line by line. */
export function BuildImage({ hostId, onClose }: { hostId: string; onClose: () => void }) {
  const t = useTranslations('images')
  const format = useFormat()
  const host = useHost(hostId)
  const show = useShowTask()
  const [source, setSource] = useState<Source>('folder')
  const [files, setFiles] = useState<File[]>([])
  const [text, setText] = useState('FROM debian:12-slim\nRUN echo hello\n')
  const [tags, setTags] = useState('')
  const [dockerfile, setDockerfile] = useState('Dockerfile')
  const [args, setArgs] = useState('')
  const [target, setTarget] = useState('')
  const [flags, setFlags] = useState({ noCache: false, pull: false })
  const [sent, setSent] = useState<{ done: number; of: number } | null>(null)
  const pairs = Object.fromEntries(
    args
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line) => (line.includes('=') ? [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] : [line, null])),
  ) as Record<string, string | null>
  const names = tags.split(/[\s,]+/).filter(Boolean)
  const build = async () => {
    const body = contextOf(source, files, text, dockerfile)
    if (!body) throw new Error(t('build.needed'))
    const options = { tags: names, dockerfile, buildArgs: pairs, target, ...flags }
    setSent({ done: 0, of: body.size })
    try {
      const operation = await upload(dataUrl(hostId, 'build', { options: JSON.stringify(options) }), 'POST', body, {
        onProgress: (done) => setSent({ done, of: body.size }),
      })
      if (operation) show({ id: hostId, name: host?.name }, operation, t('build.tab', { name: names[0] ?? dockerfile }))
    } finally {
      setSent(null)
    }
  }
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('build.title')}
      description={t('build.description', { host: host?.name ?? '' })}
      verb={t('build.verb')}
      tone="primary"
      commandLine={() =>
        [
          'docker build',
          ...names.map((name) => `-t ${name}`),
          dockerfile === 'Dockerfile' ? '' : `-f ${dockerfile}`,
          ...Object.entries(pairs).map(([key, value]) => `--build-arg ${key}${value === null ? '' : `=${value}`}`),
          target ? `--target ${target}` : '',
          flags.noCache ? '--no-cache' : '',
          flags.pull ? '--pull' : '',
          '.',
        ]
          .filter(Boolean)
          .join(' ')
      }
      onConfirm={build}
    >
      <Field label={t('build.source')}>
        <Select
          value={source}
          onChange={setSource}
          choices={(['folder', 'archive', 'text'] as const).map((value) => ({
            value,
            label: t(`build.sources.${value}`),
            detail: t(`build.sourcesHelp.${value}`),
          }))}
        />
      </Field>
      {source === 'text' ? (
        <Field label="Dockerfile">
          <Textarea mono rows={8} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
      ) : (
        <Field
          label={source === 'folder' ? t('build.folder') : t('load.file')}
          required
          help={
            files.length > 1
              ? t('build.files', { count: files.length, size: format.bytes(files.reduce((sum, file) => sum + file.size, 0)) })
              : undefined
          }
        >
          <FileInput key={source} folder={source === 'folder'} onFiles={setFiles} />
        </Field>
      )}
      <Field label={t('build.tags')} help={t('build.tagsHelp')}>
        <Input mono value={tags} placeholder="app:1 app:latest" onChange={(event) => setTags(event.target.value)} />
      </Field>
      <div className="rounded-md border">
        <Fold title={t('build.more')}>
          <Field label={t('build.dockerfile')}>
            <Input mono value={dockerfile} onChange={(event) => setDockerfile(event.target.value)} />
          </Field>
          <Field label={t('build.target')}>
            <Input mono value={target} onChange={(event) => setTarget(event.target.value)} />
          </Field>
          <Field label={t('build.args')}>
            <Textarea mono rows={2} value={args} placeholder="VERSION=1.2" onChange={(event) => setArgs(event.target.value)} />
          </Field>
          <Checkbox checked={flags.noCache} onChange={(noCache) => setFlags({ ...flags, noCache })}>
            {t('build.noCache')}
          </Checkbox>
          <Checkbox checked={flags.pull} onChange={(pull) => setFlags({ ...flags, pull })}>
            {t('build.pull')}
          </Checkbox>
        </Fold>
      </div>
      {sent ? (
        <Meter value={sent.done} max={sent.of} label={t('load.sending')} text={`${format.bytes(sent.done)} / ${format.bytes(sent.of)}`} />
      ) : null}
    </ConfirmDialog>
  )
}

/** The build context as one archive. The folder's own name is cut off each path. */
function contextOf(source: Source, files: readonly File[], text: string, dockerfile: string): Blob | null {
  if (source === 'text') return tarArchive([{ path: dockerfile, body: new Blob([text]) }])
  if (files.length === 0) return null
  if (source === 'archive') return files[0] ?? null
  return tarArchive(
    files.map((file) => ({
      path: file.webkitRelativePath.split('/').slice(1).join('/') || file.name,
      body: file,
      modifiedAt: file.lastModified,
    })),
  )
}
