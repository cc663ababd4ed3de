'use client'
import { objectName } from '@berth/contract/id'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Checkbox } from '../../ui/checkbox'
import { ConfirmDialog } from '../../ui/confirm-dialog'
import { Field } from '../../ui/field'
import { Input, Textarea } from '../../ui/input'
import { Select } from '../../ui/select'
import { quoteWord } from '../../ui/shell-words'
import { agentClient } from '../../wire/agent'
import { type Target, useShowOperation } from './container-commands'

interface DialogOf {
  target: Target
  onClose: () => void
}

const signals = ['KILL', 'TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2', 'WINCH', 'STOP', 'CONT'] as const

/** Sends a signal to the first process. */
export function KillContainer({ target, onClose }: DialogOf) {
  const t = useTranslations('containers')
  const [signal, setSignal] = useState<string>('KILL')
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('kill.title', { name: target.name })}
      description={t('kill.description')}
      verb={t('kill.verb', { signal })}
      tone={signal === 'KILL' ? 'danger' : 'primary'}
      commandLine={() => `docker kill -s ${signal} ${target.name}`}
      onConfirm={() => agentClient(target.hostId).containers.kill.mutate({ container: target.id, signal })}
    >
      <Field label={t('kill.signal')}>
        <Select
          value={signal}
          onChange={setSignal}
          choices={signals.map((value) => ({ value, label: `SIG${value}`, detail: t(`kill.signals.${value}`) }))}
        />
      </Field>
    </ConfirmDialog>
  )
}

export function RenameContainer({ target, onClose }: DialogOf) {
  const t = useTranslations('containers')
  const [name, setName] = useState(target.name)
  const wrong = name && !objectName.safeParse(name).success ? t('nameRule') : null
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rename.title', { name: target.name })}
      description={t('rename.description')}
      verb={t('rename.verb')}
      tone="primary"
      commandLine={() => `docker rename ${target.name} ${quoteWord(name || 'NEW_NAME')}`}
      onConfirm={() => agentClient(target.hostId).containers.rename.mutate({ container: target.id, name })}
    >
      <Field label={t('rename.name')} error={wrong} required>
        <Input mono value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
    </ConfirmDialog>
  )
}

/** Makes an image of what the container has written. Goes on in the dock. */
export function CommitContainer({ target, onClose }: DialogOf) {
  const t = useTranslations('containers')
  const show = useShowOperation()
  const [reference, setReference] = useState('')
  const [comment, setComment] = useState('')
  const [author, setAuthor] = useState('')
  const [changes, setChanges] = useState('')
  const [pause, setPause] = useState(true)
  const lines = changes.split('\n').filter((line) => line.trim())
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('commit.title', { name: target.name })}
      description={t('commit.description')}
      verb={t('commit.verb')}
      tone="primary"
      commandLine={() =>
        [
          'docker commit',
          pause ? '' : '--pause=false',
          comment ? `-m ${quoteWord(comment)}` : '',
          author ? `-a ${quoteWord(author)}` : '',
          ...lines.map((line) => `-c ${quoteWord(line)}`),
          target.name,
          reference,
        ]
          .filter(Boolean)
          .join(' ')
      }
      onConfirm={async () => {
        const operation = await agentClient(target.hostId).images.commit.mutate({
          container: target.id,
          reference,
          comment,
          author,
          changes: lines,
          pause,
        })
        show(target.hostId, target.hostName, operation, t('commit.tab', { name: target.name }))
      }}
    >
      <Field label={t('commit.reference')} help={t('commit.referenceHelp')}>
        <Input mono value={reference} placeholder="app:2" onChange={(event) => setReference(event.target.value)} />
      </Field>
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t('commit.comment')}>
          <Input value={comment} onChange={(event) => setComment(event.target.value)} />
        </Field>
        <Field label={t('commit.author')}>
          <Input value={author} onChange={(event) => setAuthor(event.target.value)} />
        </Field>
      </div>
      <Field label={t('commit.changes')} help={t('commit.changesHelp')}>
        <Textarea mono rows={2} value={changes} placeholder={'CMD ["nginx"]'} onChange={(event) => setChanges(event.target.value)} />
      </Field>
      <Checkbox checked={pause} onChange={setPause} help={t('commit.pauseHelp')}>
        {t('commit.pause')}
      </Checkbox>
    </ConfirmDialog>
  )
}

/** Replaces the container by one with the same options from the newest image. Goes on in the dock. */
export function RecreateContainer({ target, onClose }: DialogOf) {
  const t = useTranslations('containers')
  const show = useShowOperation()
  return (
    <ConfirmDialog<'pull'>
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('recreate.title', { name: target.name })}
      description={t('recreate.description')}
      verb={t('recreate.verb')}
      effects={[{ key: 'pull', label: t('recreate.pull'), help: t('recreate.pullHelp'), initially: true }]}
      onConfirm={async ({ pull }) => {
        const agent = agentClient(target.hostId)
        const { options } = await agent.containers.inspect.query({ container: target.id })
        const operation = await agent.containers.recreate.mutate({ container: target.id, options, pull })
        show(target.hostId, target.hostName, operation, t('recreate.tab', { name: target.name }))
      }}
    />
  )
}
