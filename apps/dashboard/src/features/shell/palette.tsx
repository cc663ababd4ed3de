'use client'
import { Command } from 'cmdk'
import { useTranslations } from 'next-intl'
import { Dialog } from 'radix-ui'
import { useLayoutEffect, useMemo, useState } from 'react'
import { cn } from '../../ui/class-names'
import { useFocusBack } from '../../ui/focus-back'
import { Key } from '../../ui/keys-dialog'
import { type Entry, usePaletteEntries } from './palette-entries'
import { bestEntries } from './rank'

export interface PaletteProps {
  open: boolean
  onOpenChange: (open: boolean) => void
  /** Gives what was typed before this was here, once. */
  takeTyped: () => string
}

/** Finds anything on any host and acts on it: Enter opens, the actions of a container stand below its name, the foot shows what does the same on the command line. */
export function Palette({ open, onOpenChange, takeTyped }: PaletteProps) {
  const t = useTranslations('shell')
  const focus = useFocusBack()
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-60 bg-scrim" />
        <Dialog.Content
          {...focus}
          onOpenAutoFocus={(event) => {
            focus.onOpenAutoFocus(event)
            // Behind what was typed before the field was there, instead of marking it to be replaced.
            event.preventDefault()
            const field = (event.target as HTMLElement).querySelector('input')
            field?.focus()
            field?.setSelectionRange(field.value.length, field.value.length)
          }}
          aria-describedby={undefined}
          className="pop-in fixed top-[10dvh] left-1/2 z-60 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-raised shadow-pop"
        >
          <Dialog.Title className="sr-only">{t('findOrDo')}</Dialog.Title>
          {open ? <Finder close={() => onOpenChange(false)} takeTyped={takeTyped} /> : null}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

const mostOfGroup = 9
/** The groups in words; `appearance` is a heading of its own. */
const headings = ['containers', 'images', 'volumes', 'networks', 'hosts'] as const

function Finder({ close, takeTyped }: { close: () => void; takeTyped: () => string }) {
  const t = useTranslations('shell')
  const [typed, setTyped] = useState('')
  const [marked, setMarked] = useState('')
  useLayoutEffect(() => {
    const before = takeTyped()
    if (before) setTyped(before)
  }, [takeTyped])
  const entries = usePaletteEntries()
  const groups = useMemo(() => bestEntries(entries, typed, mostOfGroup), [entries, typed])
  const command = useMemo(() => groups.flatMap((group) => group.entries).find((entry) => entry.key === marked)?.command, [groups, marked])
  const heading = (group: string) =>
    (headings as readonly string[]).includes(group) ? t(`nav.${group as 'hosts'}`) : group === 'appearance' ? t('appearance') : t('pages')
  return (
    <Command loop shouldFilter={false} label={t('findOrDo')} value={marked} onValueChange={setMarked}>
      <Command.Input
        value={typed}
        onValueChange={setTyped}
        placeholder={t('findPlaceholder')}
        className="h-12 w-full border-b bg-transparent px-4 text-base outline-none placeholder:text-ink-3"
      />
      <Command.List className="max-h-[56dvh] overflow-y-auto p-1.5">
        <Command.Empty className="px-4 py-8 text-center text-ink-3">{t('nothing', { typed })}</Command.Empty>
        {groups.map((group) => (
          <Command.Group
            key={group.group}
            heading={heading(group.group)}
            className="[&_[cmdk-group-heading]]:eyebrow [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1"
          >
            {group.entries.map((entry) => (
              <Line key={entry.key} entry={entry} close={close} />
            ))}
          </Command.Group>
        ))}
      </Command.List>
      <footer className="flex h-8 items-center gap-3 border-t bg-surface px-3 text-ink-3 text-xs" aria-hidden>
        {command ? (
          <code className="min-w-0 truncate">{command}</code>
        ) : (
          <>
            <span className="flex items-center gap-1">
              <Key>↑</Key>
              <Key>↓</Key> {t('keys.move')}
            </span>
            <span className="flex items-center gap-1">
              <Key>Enter</Key> {t('keys.open')}
            </span>
          </>
        )}
      </footer>
    </Command>
  )
}

/** One that cannot be done now stays in its place and says why. */
function Line({ entry, close }: { entry: Entry; close: () => void }) {
  return (
    <Command.Item
      value={entry.key}
      disabled={entry.reason !== null}
      onSelect={() => {
        close()
        entry.run()
      }}
      className="flex min-h-9 cursor-default items-center gap-2.5 rounded-md px-2.5 py-1 data-[disabled=true]:text-ink-3 data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-ink-3"
    >
      <entry.icon aria-hidden />
      <span className={cn('min-w-0 flex-1', entry.reason === null && 'truncate')}>
        {entry.label}
        {entry.reason ? <span className="block text-2xs">{entry.reason}</span> : null}
      </span>
      {entry.place ? <span className="max-w-40 shrink-0 truncate text-ink-3 text-xs">{entry.place}</span> : null}
    </Command.Item>
  )
}
