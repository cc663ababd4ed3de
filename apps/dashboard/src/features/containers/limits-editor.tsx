'use client'
import type { Limits, RestartPolicy } from '@berth/contract/container'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Button } from '../../ui/button'
import { CommandLine } from '../../ui/code-block'
import { errorMessage } from '../../ui/error-message'
import { ErrorPanel } from '../../ui/error-panel'
import { Field } from '../../ui/field'
import { formatBytes, parseBytes, shortBytes, useFormat } from '../../ui/format'
import { Input } from '../../ui/input'
import { LimitSlider } from '../../ui/meter'
import { Card } from '../../ui/section'
import { Select } from '../../ui/select'
import { useAction } from '../../ui/use-action'
import { agentClient } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useHost } from '../../wire/hosts'
import type { TabInput } from './container-tab'
import { refusedFlag } from './refused-field'
import { updateCommand } from './run-command'
import { useUsage } from './usage-store'

interface Draft {
  memory: string
  cpus: string
  swap: string
  reservation: string
  pids: string
  shares: string
  cpuset: string
  restart: RestartPolicy['name']
}

function draftOf(limits: Limits, restart: RestartPolicy): Draft {
  const size = (bytes: number) => (bytes > 0 ? shortBytes(bytes) : '')
  return {
    memory: size(limits.memoryBytes),
    cpus: limits.nanoCpus ? `${limits.nanoCpus / 1e9}` : '',
    // Twice the memory is what it is without being asked for, and goes along with the memory.
    swap: limits.memorySwapBytes === -1 ? '-1' : limits.memorySwapBytes === limits.memoryBytes * 2 ? '' : size(limits.memorySwapBytes),
    reservation: size(limits.memoryReservationBytes),
    pids: limits.pidsLimit && limits.pidsLimit > 0 ? `${limits.pidsLimit}` : '',
    shares: limits.cpuShares ? `${limits.cpuShares}` : '',
    cpuset: limits.cpusetCpus,
    restart: restart.name,
  }
}

/** Limits with the present use beside them, changed while it runs. Empty = no limit. */
export function LimitsEditor({ hostId, detail, running }: TabInput) {
  const t = useTranslations('containers')
  const allow = useAllow(hostId)
  const host = useHost(hostId)
  const usage = useUsage(hostId, detail.id, running).at(-1)
  const now = useMemo(() => draftOf(detail.options.limits, detail.options.restart), [detail.options.limits, detail.options.restart])
  const [edited, setEdited] = useState<Partial<Draft>>({})
  const draft = { ...now, ...edited }
  const set = (change: Partial<Draft>) => {
    setFailure(null)
    setEdited((before) => ({ ...before, ...change }))
  }
  const [failure, setFailure] = useState<unknown>(null)
  const read = useMemo(() => readDraft(now, { ...now, ...edited }, t), [now, edited, t])
  const { change } = read
  // What the engine refuses stands beside the field that its sentence is about.
  const refused = failure ? (draftOfFlag[refusedFlag(errorMessage(failure)) ?? ''] ?? null) : null
  const errors = refused ? { [refused]: errorMessage(failure), ...read.errors } : read.errors
  const dirty = Object.keys(change.limits).length > 0 || change.restart !== undefined
  const apply = useAction(() => agentClient(hostId).containers.update.mutate({ container: detail.id, ...change }), {
    done: () => t('limits.applied', { name: detail.name }),
    failed: () => t('limits.failed'),
    after: () => setEdited({}),
  })
  const most = host?.system?.memoryBytes ?? 8 * 1024 ** 3
  const cpus = host?.system?.cpus ?? 4
  const reason = allow('operate')
  return (
    <Card title={t('limits.title')} aside={usage ? <Throttled percent={usage.throttledPercent} /> : null}>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          setFailure(null)
          if (dirty && !reason && Object.keys(read.errors).length === 0) apply.ask(undefined as never).catch(setFailure)
        }}
      >
        <MemoryField draft={draft} set={set} error={errors.memory} most={most} use={usage?.memoryBytes} disabled={Boolean(reason)} />
        <CpuField draft={draft} set={set} error={errors.cpus} cpus={cpus} use={usage?.cpuPercent} disabled={Boolean(reason)} />
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <Field label={t('limits.pids')} error={errors.pids} aside={usage ? `${usage.pids}` : undefined}>
            <Input
              mono
              inputMode="numeric"
              value={draft.pids}
              placeholder={t('limits.none')}
              readOnly={Boolean(reason)}
              onChange={(event) => set({ pids: event.target.value })}
            />
          </Field>
          <Field label={t('flag.memory-swap')} error={errors.swap}>
            <Input
              mono
              value={draft.swap}
              placeholder={t('limits.swapUsual')}
              readOnly={Boolean(reason)}
              onChange={(event) => set({ swap: event.target.value })}
            />
          </Field>
          <Field label={t('flag.memory-reservation')} error={errors.reservation}>
            <Input
              mono
              value={draft.reservation}
              placeholder={t('limits.none')}
              readOnly={Boolean(reason)}
              onChange={(event) => set({ reservation: event.target.value })}
            />
          </Field>
          <Field label={t('flag.cpu-shares')} error={errors.shares}>
            <Input
              mono
              inputMode="numeric"
              value={draft.shares}
              placeholder="1024"
              readOnly={Boolean(reason)}
              onChange={(event) => set({ shares: event.target.value })}
            />
          </Field>
          <Field label={t('flag.cpuset-cpus')} error={errors.cpuset}>
            <Input
              mono
              value={draft.cpuset}
              placeholder={t('limits.all')}
              readOnly={Boolean(reason)}
              onChange={(event) => set({ cpuset: event.target.value })}
            />
          </Field>
          <Field label={t('create.restart')}>
            <Select
              value={draft.restart}
              disabled={Boolean(reason)}
              onChange={(restart) => set({ restart })}
              choices={(['no', 'unless-stopped', 'always', 'on-failure'] as const).map((value) => ({
                value,
                label: t(`create.restarts.${value}`),
              }))}
            />
          </Field>
        </div>
        {failure && !refused ? <ErrorPanel error={failure} compact title={t('limits.failed')} /> : null}
        <div className="flex flex-wrap items-center gap-2">
          <Button
            type="submit"
            tone="primary"
            busy={apply.busy}
            disabledReason={reason ?? (Object.keys(read.errors).length > 0 ? t('limits.mend') : dirty ? null : t('limits.unchanged'))}
          >
            {t('limits.apply')}
          </Button>
          {dirty ? (
            <Button tone="quiet" onClick={() => setEdited({})}>
              {t('limits.reset')}
            </Button>
          ) : null}
          <span className="text-ink-3 text-xs">{t('limits.help')}</span>
        </div>
        {dirty ? <SameByHand command={updateCommand(detail.name, change.limits, change.restart)} /> : null}
      </form>
    </Card>
  )
}

function SameByHand({ command }: { command: string | null }) {
  const t = useTranslations('containers')
  return command === null ? <p className="text-ink-3 text-xs">{t('limits.noCommand')}</p> : <CommandLine command={command} />
}

interface PartProps {
  draft: Draft
  set: (change: Partial<Draft>) => void
  error: string | undefined
  disabled: boolean
}

function MemoryField({ draft, set, error, most, use, disabled }: PartProps & { most: number; use: number | undefined }) {
  const t = useTranslations('containers')
  const format = useFormat()
  const bytes = parseBytes(draft.memory) ?? 0
  const step = 16 * 1024 ** 2
  return (
    <Field label={t('flag.memory')} error={error} aside={use === undefined ? undefined : t('limits.inUse', { use: format.bytes(use) })}>
      <div className="grid grid-cols-[minmax(0,1fr)_7.5rem] items-center gap-3">
        <LimitSlider
          value={bytes}
          min={0}
          max={Math.ceil(most / step) * step}
          step={step}
          use={use}
          disabled={disabled}
          label={t('flag.memory')}
          valueText={bytes ? formatBytes(bytes) : t('limits.none')}
          onChange={(value) => set({ memory: value === 0 ? '' : shortBytes(value) })}
        />
        <Input
          mono
          value={draft.memory}
          placeholder={t('limits.none')}
          readOnly={disabled}
          onChange={(event) => set({ memory: event.target.value })}
        />
      </div>
    </Field>
  )
}

function CpuField({ draft, set, error, cpus, use, disabled }: PartProps & { cpus: number; use: number | undefined }) {
  const t = useTranslations('containers')
  const format = useFormat()
  const value = Number(draft.cpus) || 0
  return (
    <Field
      label={t('flag.cpus')}
      error={error}
      aside={use === undefined ? undefined : t('limits.inUse', { use: format.percent(use) })}
      help={t('limits.cpuHelp', { count: cpus })}
    >
      <div className="grid grid-cols-[minmax(0,1fr)_7.5rem] items-center gap-3">
        <LimitSlider
          value={value}
          min={0}
          max={cpus}
          step={0.05}
          use={use === undefined ? null : use / 100}
          disabled={disabled}
          label={t('flag.cpus')}
          valueText={value ? `${value}` : t('limits.none')}
          onChange={(next) => set({ cpus: next === 0 ? '' : `${Math.round(next * 100) / 100}` })}
        />
        <Input
          mono
          inputMode="decimal"
          value={draft.cpus}
          placeholder={t('limits.none')}
          readOnly={disabled}
          onChange={(event) => set({ cpus: event.target.value })}
        />
      </div>
    </Field>
  )
}

function Throttled({ percent }: { percent: number }) {
  const t = useTranslations('containers')
  const format = useFormat()
  return (
    <span className={percent > 1 ? 'font-medium text-warn' : undefined}>{t('limits.throttled', { percent: format.percent(percent) })}</span>
  )
}

const draftOfFlag: Record<string, keyof Draft> = {
  memory: 'memory',
  'memory-swap': 'swap',
  'memory-reservation': 'reservation',
  cpus: 'cpus',
  'cpu-shares': 'shares',
  'cpuset-cpus': 'cpuset',
  'pids-limit': 'pids',
}

/** Only what differs, in the contract's units; what cannot be read, beside its field. */
function readDraft(now: Draft, draft: Draft, t: ReturnType<typeof useTranslations<'containers'>>) {
  const limits: Partial<Limits> = {}
  const errors: Partial<Record<keyof Draft, string>> = {}
  const size = (key: 'memory' | 'swap' | 'reservation', target: 'memoryBytes' | 'memorySwapBytes' | 'memoryReservationBytes') => {
    if (draft[key] === now[key]) return
    const bytes = draft[key].trim() === '' ? 0 : draft[key].trim() === '-1' && key === 'swap' ? -1 : parseBytes(draft[key])
    if (bytes === null) errors[key] = t('limits.notSize')
    else limits[target] = bytes
  }
  const number = (key: 'pids' | 'shares', target: 'pidsLimit' | 'cpuShares', none: number) => {
    if (draft[key] === now[key]) return
    const value = draft[key].trim() === '' ? none : Number(draft[key])
    if (!Number.isInteger(value)) errors[key] = t('limits.notNumber')
    else limits[target] = value
  }
  size('memory', 'memoryBytes')
  size('swap', 'memorySwapBytes')
  size('reservation', 'memoryReservationBytes')
  number('pids', 'pidsLimit', -1)
  number('shares', 'cpuShares', 0)
  if (draft.cpus !== now.cpus) {
    const value = draft.cpus.trim() === '' ? 0 : Number(draft.cpus)
    if (Number.isNaN(value) || value < 0) errors.cpus = t('limits.notNumber')
    else limits.nanoCpus = Math.round(value * 1e9)
  }
  // With a limit on memory alone the engine wants the sum with swap changed along with it, as docker update does.
  if (limits.memoryBytes !== undefined && limits.memorySwapBytes === undefined && draft.swap.trim() === '')
    limits.memorySwapBytes = limits.memoryBytes * 2
  if (draft.cpuset !== now.cpuset) limits.cpusetCpus = draft.cpuset.trim()
  const restart = draft.restart === now.restart ? undefined : { name: draft.restart, maximumRetryCount: 0 }
  return { change: { limits, restart }, errors }
}
