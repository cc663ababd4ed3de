'use client'
import { useQuery } from '@tanstack/react-query'
import { ArrowRight, Plus, Trash2 } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { Controller, useFieldArray, useFormContext } from 'react-hook-form'
import { Button } from '../../ui/button'
import { Checkbox } from '../../ui/checkbox'
import { Combobox } from '../../ui/combobox'
import { Input } from '../../ui/input'
import { Select } from '../../ui/select'
import { useAgent } from '../../wire/agent'
import type { FormErrors, FormValues } from './form-values'

function RowError({ message }: { message: string | undefined }) {
  return message ? (
    <p role="alert" className="text-bad text-xs">
      {message}
    </p>
  ) : null
}

/** Published ports, one row each. */
export function PortRows({ errors }: { errors: FormErrors }) {
  const t = useTranslations('containers')
  const form = useFormContext<FormValues>()
  const rows = useFieldArray({ control: form.control, name: 'ports' })
  return (
    <div className="grid gap-2">
      {rows.fields.map((row, index) => (
        <div key={row.id} className="grid gap-1">
          <div className="grid grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)_auto_minmax(0,1fr)_5.25rem_auto] items-center gap-1.5">
            <Input mono aria-label={t('create.hostIp')} placeholder={t('create.anyAddress')} {...form.register(`ports.${index}.hostIp`)} />
            <Input
              mono
              aria-label={t('create.hostPort')}
              placeholder={t('create.freePort')}
              aria-invalid={Boolean(errors[`ports.${index}`]) || undefined}
              {...form.register(`ports.${index}.host`)}
            />
            <ArrowRight className="size-3.5 text-ink-3" aria-hidden />
            <Input
              mono
              aria-label={t('create.containerPort')}
              placeholder="80"
              aria-invalid={Boolean(errors[`ports.${index}`]) || undefined}
              {...form.register(`ports.${index}.container`)}
            />
            <Controller
              control={form.control}
              name={`ports.${index}.protocol`}
              render={({ field }) => (
                <Select
                  value={field.value}
                  onChange={field.onChange}
                  label={t('create.protocol')}
                  choices={['tcp', 'udp', 'sctp'].map((value) => ({ value, label: value.toUpperCase() }))}
                />
              )}
            />
            <Button tone="quiet" size="icon" hint={t('create.removePort')} onClick={() => rows.remove(index)}>
              <Trash2 aria-hidden />
            </Button>
          </div>
          <RowError message={errors[`ports.${index}`]} />
        </div>
      ))}
      <div>
        <Button size="small" onClick={() => rows.append({ hostIp: '', host: '', container: '', protocol: 'tcp' })}>
          <Plus aria-hidden />
          {t('create.addPort')}
        </Button>
      </div>
    </div>
  )
}

/** Volumes, directories of the host and memory, one row each. */
export function MountRows({ hostId, errors }: { hostId: string; errors: FormErrors }) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const form = useFormContext<FormValues>()
  const rows = useFieldArray({ control: form.control, name: 'mounts' })
  const volumes = useQuery(useAgent(hostId).volumes.list.queryOptions({}))
  return (
    <div className="grid gap-3">
      {rows.fields.map((row, index) => {
        const type = form.watch(`mounts.${index}.type`)
        return (
          <div key={row.id} className="grid gap-1.5">
            <div className="grid grid-cols-2 items-center gap-1.5 md:grid-cols-[7.5rem_minmax(0,1fr)_minmax(0,1fr)_minmax(0,.8fr)_auto_auto]">
              <Controller
                control={form.control}
                name={`mounts.${index}.type`}
                render={({ field }) => (
                  <Select
                    value={field.value}
                    onChange={field.onChange}
                    label={t('create.mountType')}
                    choices={(['volume', 'bind', 'tmpfs'] as const).map((value) => ({ value, label: t(`create.mountTypes.${value}`) }))}
                  />
                )}
              />
              {type === 'volume' ? (
                <Controller
                  control={form.control}
                  name={`mounts.${index}.source`}
                  render={({ field }) => (
                    <Combobox
                      mono
                      free
                      freeWords={tu('use')}
                      value={field.value}
                      onChange={field.onChange}
                      items={(volumes.data ?? []).filter((volume) => !volume.anonymous).map((volume) => ({ value: volume.name }))}
                      label={t('create.volume')}
                      placeholder={t('create.volume')}
                      emptyWords={t('create.volumeType')}
                    />
                  )}
                />
              ) : (
                <Input
                  mono
                  aria-label={t('create.hostPath')}
                  placeholder={type === 'bind' ? '/srv/data' : '–'}
                  disabled={type === 'tmpfs'}
                  {...form.register(`mounts.${index}.source`)}
                />
              )}
              <Input
                mono
                aria-label={t('create.target')}
                placeholder="/data"
                aria-invalid={Boolean(errors[`mounts.${index}`]) || undefined}
                {...form.register(`mounts.${index}.target`)}
              />
              <Input
                mono
                aria-label={t('create.mountMore')}
                placeholder={type === 'tmpfs' ? 'tmpfs-size=64m' : type === 'bind' ? 'bind-propagation=rslave' : 'volume-nocopy'}
                {...form.register(`mounts.${index}.more`)}
              />
              <span className="grid gap-1">
                <Controller
                  control={form.control}
                  name={`mounts.${index}.readOnly`}
                  render={({ field }) => (
                    <Checkbox checked={field.value} onChange={field.onChange}>
                      <span className="whitespace-nowrap text-xs">{t('create.readOnly')}</span>
                    </Checkbox>
                  )}
                />
                {type === 'bind' ? (
                  <Controller
                    control={form.control}
                    name={`mounts.${index}.create`}
                    render={({ field }) => (
                      <Checkbox checked={field.value} onChange={field.onChange}>
                        <span className="whitespace-nowrap text-xs">{t('create.makeSource')}</span>
                      </Checkbox>
                    )}
                  />
                ) : null}
              </span>
              <Button tone="quiet" size="icon" hint={t('create.removeMount')} onClick={() => rows.remove(index)}>
                <Trash2 aria-hidden />
              </Button>
            </div>
            <RowError message={errors[`mounts.${index}`]} />
          </div>
        )
      })}
      <div>
        <Button
          size="small"
          onClick={() => rows.append({ type: 'volume', source: '', target: '', readOnly: false, create: true, more: '' })}
        >
          <Plus aria-hidden />
          {t('create.addMount')}
        </Button>
      </div>
    </div>
  )
}
