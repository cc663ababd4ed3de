'use client'
import type { ImageSummary } from '@berth/contract/image'
import { useQuery } from '@tanstack/react-query'
import { ClipboardPaste } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect, useMemo, useRef, useState } from 'react'
import { FormProvider, useForm, useFormContext, useWatch } from 'react-hook-form'
import { useSentenceText } from '../../i18n/use-sentences'
import { Button } from '../../ui/button'
import { Checkbox } from '../../ui/checkbox'
import { CodeBlock } from '../../ui/code-block'
import { Combobox } from '../../ui/combobox'
import { errorMessage } from '../../ui/error-message'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { Input, Textarea } from '../../ui/input'
import { PageBody, PageHead } from '../../ui/page'
import { Card, Fold } from '../../ui/section'
import { Select } from '../../ui/select'
import { sayDone } from '../../ui/toaster'
import { useAction } from '../../ui/use-action'
import { agentClient, useAgent } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useHost, useHosts } from '../../wire/hosts'
import { formSections } from './form-fields'
import { FlagGrid } from './form-flag'
import { MountRows, PortRows } from './form-rows'
import { createInput, emptyForm, type FormErrors, type FormValues, readForm } from './form-values'
import { PasteLine } from './paste-line'
import { refusedFlag } from './refused-field'
import { runCommand } from './run-command'

/** Makes a container. `initial` comes from a container that is duplicated, or from a link that names an image. */
export function CreateForm({ hostId, initial }: { hostId: string; initial?: Partial<FormValues> }) {
  const t = useTranslations('containers')
  const router = useRouter()
  const allow = useAllow(hostId)
  const form = useForm<FormValues>({ defaultValues: { ...emptyForm, ...initial } })
  const values = useWatch({ control: form.control }) as FormValues
  const { run, errors, kept } = useMemo(() => readForm(values), [values])
  const [tried, setTried] = useState(false)
  const [pasting, setPasting] = useState(false)
  const [failure, setFailure] = useState<unknown>(null)
  const said = useSentenceText()
  const refused = failure instanceof Error ? fieldRefused(failure) : {}
  const shown: FormErrors = { ...refused, ...ownErrors(errors, tried) }
  const create = useAction(
    async ({ start }: { start: boolean }) => {
      if (!run) throw new Error('the form cannot be read')
      const agent = agentClient(hostId)
      const made = await agent.containers.create.mutate(createInput(run))
      if (start)
        await agent.containers.start
          .mutate({ container: made.id })
          .catch((error: unknown) => Promise.reject(new StartFailed(made.id, error)))
      return made
    },
    {
      done: (_, { start }) => t(start ? 'create.ran' : 'create.made', { name: run?.name ?? run?.options.image ?? '' }),
      failed: () => t('create.failed'),
      after: (made) => {
        for (const warning of made.warnings) sayDone(said(warning))
        router.push(`/h/${hostId}/containers/${made.id}`)
      },
    },
  )
  const submit = () => {
    setTried(true)
    setFailure(null)
    if (Object.keys(errors).length > 0 || !run) return setAttempts((before) => before + 1)
    create.ask({ start: values.start }).catch(setFailure)
  }
  const count = Object.keys(shown).length
  const fields = useRef<HTMLFormElement>(null)
  const [attempts, setAttempts] = useState(0)
  // Who submitted and was refused, here or by the engine, goes on at the first field that is wrong; its reason is its description.
  useEffect(() => {
    if (attempts > 0 || failure) fields.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [attempts, failure])
  // Said before somebody fills in what they may not run.
  const known = useHost(hostId) !== null
  const denied = allow('create')
  const actions = (
    <>
      <Button onClick={() => setPasting(true)}>
        <ClipboardPaste aria-hidden />
        {t('create.paste')}
      </Button>
      <Button tone="primary" onClick={submit} busy={create.busy} disabledReason={denied} data-testid="create">
        {values.start ? t('create.run') : t('create.create')}
      </Button>
    </>
  )
  return (
    <FormProvider {...form}>
      <PageHead title={t('create.title')} lead={<HostLine hostId={hostId} />} actions={actions} />
      <PageBody>
        {known && denied ? <Notice className="mb-3">{denied}</Notice> : null}
        {failure ? <CreateFailure failure={failure} hostId={hostId} /> : null}
        {tried && count > 0 ? (
          <Notice tone="warn" className="mb-3">
            {t('create.wrong', { count })}
          </Notice>
        ) : null}
        <form
          ref={fields}
          className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_minmax(20rem,26rem)]"
          onSubmit={(event) => {
            event.preventDefault()
            submit()
          }}
        >
          <div className="grid min-w-0 gap-3">
            <Basics hostId={hostId} errors={shown} />
            <Card title={t('create.ports')} bodyClassName="p-3.5">
              <PortRows errors={shown} />
            </Card>
            <Card title={t('create.mounts')} bodyClassName="p-3.5">
              <MountRows hostId={hostId} errors={shown} />
            </Card>
            <Card bodyClassName="p-0">
              {formSections.map((section) => (
                <Section key={section.key} section={section} values={values} errors={shown} />
              ))}
            </Card>
          </div>
          <aside className="grid min-w-0 gap-2 xl:sticky xl:top-0">
            <h2 className="eyebrow">{t('create.line')}</h2>
            <CodeBlock
              code={
                run
                  ? runCommand(run.name, run.options, { verb: values.start ? 'run' : 'create', pull: run.pull })
                  : `docker run ${values.image || 'IMAGE'}`
              }
              label={t('create.line')}
            />
            <p className="text-ink-3 text-xs">{t('create.lineHelp')}</p>
            {kept.length > 0 ? <Notice>{t('create.kept', { names: kept.join(', ') })}</Notice> : null}
            {errors.form && tried ? <ErrorPanel error={new Error(errors.form)} compact /> : null}
          </aside>
          <button type="submit" className="hidden" aria-hidden tabIndex={-1} />
        </form>
      </PageBody>
      {pasting ? (
        <PasteLine
          onClose={() => setPasting(false)}
          onFill={(filled) => {
            form.reset(filled)
            setPasting(false)
          }}
        />
      ) : null}
    </FormProvider>
  )
}

/** Until somebody tried, what is merely not filled in yet is not called wrong. */
function ownErrors(errors: FormErrors, tried: boolean): FormErrors {
  return tried ? errors : Object.fromEntries(Object.entries(errors).filter(([key, message]) => message !== key))
}

/** What the engine refused, beside the field that its sentence is about. */
function fieldRefused(failure: Error): FormErrors {
  const flag = refusedFlag(failure.message)
  return flag ? { [flag === 'name' ? flag : `flags.${flag}`]: failure.message } : {}
}

/** The container is there but could not be started: its page says more. */
class StartFailed extends Error {
  constructor(
    readonly containerId: string,
    cause: unknown,
  ) {
    super(errorMessage(cause))
  }
}

function CreateFailure({ failure, hostId }: { failure: unknown; hostId: string }) {
  const t = useTranslations('containers')
  const router = useRouter()
  if (!(failure instanceof StartFailed)) return <ErrorPanel error={failure} title={t('create.failed')} className="mb-3" />
  return (
    <ErrorPanel
      error={failure}
      title={t('create.notStarted')}
      className="mb-3"
      action={
        <Button size="small" onClick={() => router.push(`/h/${hostId}/containers/${failure.containerId}`)}>
          {t('create.show')}
        </Button>
      }
    />
  )
}

function HostLine({ hostId }: { hostId: string }) {
  const t = useTranslations('containers')
  const host = useHost(hostId)
  const { hosts } = useHosts()
  const router = useRouter()
  if (hosts.length < 2) return <>{t('create.on', { host: host?.name ?? '' })}</>
  return (
    <span className="mt-1 flex items-center gap-2 whitespace-nowrap">
      {t('create.onHost')}
      <Select
        value={hostId}
        onChange={(next) => router.replace(`/h/${next}/containers/new`)}
        label={t('create.onHost')}
        choices={hosts.map((one) => ({ value: one.id, label: one.name, disabled: one.state !== 'online' }))}
        className="w-48"
      />
    </span>
  )
}

function Basics({ hostId, errors }: { hostId: string; errors: FormErrors }) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const form = useFormContext<FormValues>()
  const agent = useAgent(hostId)
  const images = useQuery(agent.images.list.queryOptions({}))
  const networks = useQuery(agent.networks.list.queryOptions({}))
  const values = useWatch({ control: form.control }) as FormValues
  const set = form.setValue
  const [policy = 'no', retries = ''] = values.restart.split(':')
  return (
    <Card>
      <div className="grid gap-3.5 sm:grid-cols-2">
        <Field
          label={t('create.image')}
          required
          error={errors.image ? t('create.imageNeeded') : null}
          help={t('create.imageHelp')}
          className="sm:col-span-2"
        >
          <Combobox
            mono
            free
            freeWords={tu('use')}
            value={values.image}
            onChange={(image) => set('image', image)}
            items={imageChoices(images.data ?? [])}
            label={t('create.image')}
            placeholder={t('create.imagePlaceholder')}
            emptyWords={t('create.imageType')}
          />
        </Field>
        <Field
          label={t('create.name')}
          optional={tu('optional')}
          error={errors.name === 'name' ? t('nameRule') : errors.name}
          help={t('create.nameHelp')}
        >
          <Input mono {...form.register('name')} placeholder="web" />
        </Field>
        <Field label={t('create.pull')}>
          <Select
            value={values.pull}
            onChange={(pull) => set('pull', pull)}
            choices={(['missing', 'always', 'never'] as const).map((value) => ({ value, label: t(`create.pulls.${value}`) }))}
          />
        </Field>
        <Field label={t('create.command')} optional={tu('optional')} error={errors.command} help={t('create.commandHelp')}>
          <Textarea
            mono
            rows={1}
            className="field-sizing-content min-h-8"
            {...form.register('command')}
            placeholder={'nginx -g "daemon off;"'}
          />
        </Field>
        <Field label={t('create.entrypoint')} optional={tu('optional')} error={errors.entrypoint} help={t('create.entrypointHelp')}>
          <Textarea
            mono
            rows={1}
            className="field-sizing-content min-h-8"
            {...form.register('entrypoint')}
            placeholder="/docker-entrypoint.sh"
          />
        </Field>
        <Field label={t('create.network')} help={t('create.networkHelp')}>
          <Combobox
            free
            freeWords={tu('use')}
            value={values.network}
            onChange={(network) => set('network', network)}
            items={[
              { value: '', label: t('create.networkUsual') },
              ...(networks.data ?? []).map((network) => ({ value: network.name, detail: network.pools[0]?.subnet ?? network.driver })),
            ]}
            label={t('create.network')}
            placeholder={t('create.networkUsual')}
            emptyWords={tu('nothingFound')}
          />
        </Field>
        <Field label={t('create.restart')} error={errors.restart}>
          <Select
            value={policy}
            onChange={(restart) => set('restart', restart)}
            choices={['no', 'unless-stopped', 'always', 'on-failure'].map((value) => ({
              value,
              label: t(`create.restarts.${value as 'no'}`),
            }))}
          />
        </Field>
        {policy === 'on-failure' ? (
          <Field label={t('create.retries')} optional={tu('optional')} help={t('create.retriesHelp')} className="sm:col-start-2">
            <Input
              mono
              inputMode="numeric"
              value={retries}
              onChange={(event) => set('restart', `on-failure${event.target.value ? `:${event.target.value}` : ''}`)}
            />
          </Field>
        ) : null}
        <Field
          label={t('create.networks')}
          optional={tu('optional')}
          error={errors.networks}
          help={t('create.networksHelp')}
          className="sm:col-span-2"
        >
          <Textarea mono rows={1} className="min-h-8" {...form.register('networks')} placeholder="name=backend,alias=api" />
        </Field>
        <Checkbox checked={values.start} onChange={(start) => set('start', start)} className="sm:col-span-2">
          {t('create.start')}
        </Checkbox>
      </div>
    </Card>
  )
}

function imageChoices(images: readonly ImageSummary[]) {
  return images.flatMap((image) => image.tags.map((tag) => ({ value: tag })))
}

function Section({ section, values, errors }: { section: (typeof formSections)[number]; values: FormValues; errors: FormErrors }) {
  const t = useTranslations('containers')
  const set = section.fields.filter(({ flag }) => values.flags[flag]?.trim() || values.switches[flag])
  const wrong = section.fields.some(({ flag }) => errors[`flags.${flag}`])
  const [open, setOpen] = useState(false)
  return (
    <Fold
      title={t(`create.section.${section.key}`)}
      open={open || wrong}
      onToggle={setOpen}
      invalid={wrong}
      summary={set.length > 0 ? set.map(({ flag }) => `--${flag}`).join('  ') : t(`create.sectionHelp.${section.key}`)}
    >
      {open || wrong ? <FlagGrid fields={section.fields} errors={errors} /> : null}
    </Fold>
  )
}
