'use client'
import { useTranslations } from 'next-intl'
import { type ReactNode, useEffect, useState } from 'react'
import { useBulkFailures } from './bulk-bar'
import { Button } from './button'
import { Checkbox } from './checkbox'
import { CommandLine } from './code-block'
import { Dialog } from './dialog'
import { ErrorPanel } from './error-panel'
import { Field } from './field'
import { Input } from './input'
import { type Failure, runEach, type Step } from './run-each'

export interface SideEffect<K extends string = string> {
  key: K
  label: ReactNode
  help?: ReactNode
  initially?: boolean
  /** The action cannot go on without it (removing what still runs). */
  needed?: boolean
}

export interface ConfirmProps<K extends string> {
  open: boolean
  onOpenChange: (open: boolean) => void
  title: string
  /** What will be gone, and what stays. */
  description: ReactNode
  /** The verb on the button: "Remove 3 containers". */
  verb: string
  tone?: 'danger' | 'primary'
  effects?: readonly SideEffect<K>[]
  /** Why it cannot be confirmed now; shown by the button. */
  refusal?: string | null
  /** What cannot be undone: this must be typed first. */
  typeName?: string
  commandLine?: (chosen: Record<K, boolean>) => string
  children?: ReactNode
  /**
   * What is done to each of many. All are tried; the button counts; those that failed are listed with their reasons, and confirming once more tries those alone. `onConfirm` runs when all have succeeded.
   */
  each?: readonly Step<Record<K, boolean>>[]
  /** Runs it. The dialog stays open while it runs, closes when it is done, and shows the error if it fails. */
  onConfirm: (chosen: Record<K, boolean>) => Promise<unknown>
}

/** Asks according to risk: check boxes for side effects, the name to be typed for what cannot be undone. */
export function ConfirmDialog<K extends string = never>(props: ConfirmProps<K>) {
  return props.open ? <OpenConfirm {...props} /> : null
}

function OpenConfirm<K extends string>(props: ConfirmProps<K>) {
  const t = useTranslations('ui')
  const effects = props.effects ?? []
  const [chosen, setChosen] = useState(
    () => Object.fromEntries(effects.map((effect) => [effect.key, effect.initially ?? false])) as Record<K, boolean>,
  )
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<unknown>(null)
  const [failed, setFailed] = useState<readonly Failure[]>([])
  const [ended, setEnded] = useState(0)
  const tellList = useBulkFailures()
  const steps = props.each?.filter((step) => failed.length === 0 || failed.some((one) => one.key === step.key)) ?? []
  const missing = effects.find((effect) => effect.needed && !chosen[effect.key])
  const reason = props.refusal
    ? props.refusal
    : missing
      ? t('tickFirst')
      : props.typeName !== undefined && typed !== props.typeName
        ? t('typeFirst', { name: props.typeName })
        : null
  useEffect(() => setFailure(null), [])
  const run = async () => {
    if (reason || busy) return
    setBusy(true)
    setFailure(null)
    setEnded(0)
    try {
      const left = await runEach(steps, chosen, setEnded)
      setFailed(left)
      tellList?.(left)
      if (left.length > 0) return
      await props.onConfirm(chosen)
      props.onOpenChange(false)
    } catch (error) {
      setFailure(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => !busy && props.onOpenChange(open)}
      title={props.title}
      description={props.description}
      size="small"
      footer={
        <>
          <Button onClick={() => props.onOpenChange(false)} disabled={busy}>
            {t('cancel')}
          </Button>
          <Button tone={props.tone ?? 'danger'} onClick={run} busy={busy} disabledReason={reason} data-testid="confirm">
            {failed.length > 0 && !busy ? t('tryAgain') : props.verb}
            {busy && steps.length > 1 ? <span className="tabular">{`${ended}/${steps.length}`}</span> : null}
          </Button>
        </>
      }
    >
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        {props.children}
        {effects.map((effect) => (
          <Checkbox
            key={effect.key}
            checked={chosen[effect.key]}
            onChange={(checked) => setChosen((before) => ({ ...before, [effect.key]: checked }))}
            help={effect.help}
          >
            {effect.label}
          </Checkbox>
        ))}
        {props.typeName === undefined ? null : (
          <Field label={t('typeToConfirm', { name: props.typeName })}>
            <Input mono value={typed} onChange={(event) => setTyped(event.target.value)} />
          </Field>
        )}
        {props.commandLine ? <CommandLine command={props.commandLine(chosen)} /> : null}
        {busy && steps.length > 1 ? (
          <span className="sr-only" role="status">
            {t('progress', { ended, of: steps.length })}
          </span>
        ) : null}
        {failed.length > 0 && !busy ? (
          <ErrorPanel
            title={props.each && props.each.length > 1 ? t('someFailed', { failed: failed.length, of: props.each.length }) : undefined}
            error={new Error(failed.map((one) => (props.each?.length === 1 ? one.message : `${one.name}: ${one.message}`)).join('\n'))}
            compact
          />
        ) : null}
        {failure ? <ErrorPanel error={failure} compact /> : null}
        <button type="submit" className="hidden" aria-hidden tabIndex={-1} />
      </form>
    </Dialog>
  )
}
