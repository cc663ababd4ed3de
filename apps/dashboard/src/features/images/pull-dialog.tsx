'use client'
import { useQuery } from '@tanstack/react-query'
import { Star } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useDeferredValue, useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { useShowTask } from '../../ui/dock'
import { Field } from '../../ui/field'
import { HostField } from '../../ui/host-field'
import { Input } from '../../ui/input'
import { Rows } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { agentClient, useAgent } from '../../wire/agent'
import { useHosts } from '../../wire/hosts'

/** Asks what to pull and where to; the progress of each layer then stands in the dock. */
export function PullImage({ hostId, onClose }: { hostId: string; onClose: () => void }) {
  const t = useTranslations('images')
  const tu = useTranslations('ui')
  const { hosts } = useHosts()
  const show = useShowTask()
  const [host, setHost] = useState(hostId)
  const [reference, setReference] = useState('')
  const [platform, setPlatform] = useState('')
  const [allTags, setAllTags] = useState(false)
  const [searching, setSearching] = useState(false)
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('pull.title')}
      description={t('pull.description')}
      verb={t('pull.button')}
      tone="primary"
      commandLine={() => `docker pull ${allTags ? '-a ' : ''}${platform ? `--platform ${platform} ` : ''}${reference || 'IMAGE'}`}
      onConfirm={async () => {
        const wanted = reference.trim()
        if (!wanted) throw new Error(t('pull.needed'))
        const operation = await agentClient(host).images.pull.mutate({ reference: wanted, allTags, ...(platform ? { platform } : {}) })
        show({ id: host, name: hosts.find((one) => one.id === host)?.name }, operation.id, t('pull.tab', { name: wanted }))
      }}
    >
      <HostField hosts={hosts} value={host} onChange={setHost} />
      <Field label={t('pull.reference')} required help={t('pull.help')}>
        <Input
          mono
          value={reference}
          placeholder="redis:7 · ghcr.io/org/app@sha256:…"
          onChange={(event) => setReference(event.target.value)}
        />
      </Field>
      <button
        type="button"
        className="justify-self-start text-accent text-xs hover:underline"
        aria-expanded={searching}
        onClick={() => setSearching(!searching)}
      >
        {t('pull.search')}
      </button>
      {searching ? <Search hostId={host} term={reference} onChoose={setReference} /> : null}
      <Field label={t('pull.platform')} optional={tu('optional')}>
        <Input mono value={platform} placeholder="linux/amd64" onChange={(event) => setPlatform(event.target.value)} />
      </Field>
      <Checkbox checked={allTags} onChange={setAllTags}>
        {t('pull.allTags')}
      </Checkbox>
    </ConfirmDialog>
  )
}

function Search({ hostId, term, onChoose }: { hostId: string; term: string; onChoose: (name: string) => void }) {
  const t = useTranslations('images')
  const tu = useTranslations('ui')
  const wanted = useDeferredValue(term.trim())
  const found = useQuery(
    useAgent(hostId).images.search.queryOptions({ term: wanted, limit: 12 }, { enabled: wanted.length > 1, retry: false }),
  )
  if (found.error)
    return (
      <p className="text-bad text-xs">
        <Sentence>{found.error.message}</Sentence>
      </p>
    )
  if (!found.data) return <p className="text-ink-3 text-xs">{wanted.length > 1 ? tu('loading') : t('pull.typeFirst')}</p>
  return (
    <div className="max-h-56 overflow-y-auto rounded-md border">
      {found.data.length === 0 ? <p className="p-3 text-ink-3 text-xs">{tu('nothingFound')}</p> : null}
      <Rows>
        {found.data.map((one) => (
          <li key={one.name}>
            <button type="button" onClick={() => onChoose(one.name)} className="grid w-full gap-0.5 px-3 py-1.5 text-left hover:bg-hover">
              <span className="flex items-center justify-between gap-2">
                <span className="truncate font-mono text-xs">{one.name}</span>
                <span className="flex shrink-0 items-center gap-1 text-2xs text-ink-3">
                  <Star className="size-3" aria-hidden />
                  {one.stars}
                </span>
              </span>
              {one.description ? <span className="truncate text-ink-3 text-xs">{one.description}</span> : null}
            </button>
          </li>
        ))}
      </Rows>
    </div>
  )
}
