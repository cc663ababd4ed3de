'use client'
import { Accessibility, ArrowDown, ArrowUp, ClipboardCopy, ClipboardPaste, Eraser, Search, WifiOff, X, ZoomIn, ZoomOut } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { type ReactNode, useCallback, useId, useRef, useState } from 'react'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { copyText } from '../../ui/code-block'
import { Sentence } from '../../ui/sentence'
import { useStoredState } from '../../ui/stored-state'
import { type Screen, TerminalScreen } from '../../ui/terminal-screen'
import { sayDone } from '../../ui/toaster'
import type { TerminalInput } from '../../wire/terminal-stream'
import { type TerminalStatus, useTerminal } from './use-terminal'

const usualLook = { fontSize: 13, screenReader: false }
const toolLook = 'text-term-ink/75 hover:bg-term-line hover:text-term-ink'

/** One terminal with its tools and its status line. `again`: starts a new session after this one has ended. */
export function TerminalPane({
  hostId,
  target,
  label,
  visible,
  takesKeys,
  again,
}: {
  hostId: string
  target: TerminalInput['target']
  label: string
  visible: boolean
  /** Has the focus as soon as it is there. */
  takesKeys: boolean
  again?: () => void
}) {
  const t = useTranslations('terminals')
  const [screen, setScreen] = useState<Screen | null>(null)
  const [look, setLook] = useStoredState('terminal', usualLook)
  const [finding, setFinding] = useState(false)
  const { status, type, resize } = useTerminal(hostId, target, screen)
  const tools = useRef<HTMLSpanElement>(null)
  const leaveHint = useId()
  const ready = useCallback(
    (made: Screen) => {
      setScreen(made)
      if (takesKeys) made.focus()
    },
    [takesKeys],
  )
  return (
    <div className="group/pane flex min-h-0 flex-1 flex-col bg-term text-term-ink" data-terminal-status={status.kind}>
      <div className="relative flex min-h-0 flex-1 flex-col">
        <TerminalScreen
          label={label}
          onReady={ready}
          onInput={type}
          onResize={resize}
          onFind={() => setFinding(true)}
          onLeave={() => tools.current?.querySelector('button')?.focus()}
          describedBy={leaveHint}
          fontSize={look.fontSize}
          screenReader={look.screenReader}
          visible={visible}
        />
        {finding && screen ? <FindBar screen={screen} onClose={() => setFinding(false)} /> : null}
      </div>
      <div className="flex shrink-0 items-center gap-1 border-term-line border-t px-2 py-0.5">
        <StatusLine status={status} again={again} />
        <span
          id={leaveHint}
          className="ml-auto truncate text-2xs text-term-muted opacity-0 group-focus-within/pane:opacity-100 max-sm:sr-only"
        >
          {t('leave')}
        </span>
        <span ref={tools} className="flex items-center">
          <Tools screen={screen} look={look} onLook={setLook} onFind={() => setFinding(true)} />
        </span>
      </div>
    </div>
  )
}

function Tools({
  screen,
  look,
  onLook,
  onFind,
}: {
  screen: Screen | null
  look: typeof usualLook
  onLook: (look: typeof usualLook) => void
  onFind: () => void
}) {
  const t = useTranslations('terminals')
  const tool = (hint: string, icon: ReactNode, onClick: () => void, pressed?: boolean) => (
    <Button
      tone="quiet"
      size="icon-small"
      hint={hint}
      aria-pressed={pressed}
      className={cn(toolLook, pressed && 'bg-term-pressed')}
      onClick={onClick}
    >
      {icon}
    </Button>
  )
  const size = (by: number) => onLook({ ...look, fontSize: Math.min(28, Math.max(8, look.fontSize + by)) })
  return (
    <>
      {tool(t('find'), <Search aria-hidden />, onFind)}
      {tool(t('copy'), <ClipboardCopy aria-hidden />, async () => {
        const text = screen?.selection() || screen?.text().trimEnd()
        if (text && (await copyText(text))) sayDone(t('copied'))
        screen?.focus()
      })}
      {typeof navigator !== 'undefined' && navigator.clipboard?.readText
        ? tool(t('paste'), <ClipboardPaste aria-hidden />, async () => {
            screen?.paste(await navigator.clipboard.readText())
            screen?.focus()
          })
        : null}
      {tool(t('clear'), <Eraser aria-hidden />, () => screen?.clear())}
      <span className="max-sm:hidden">
        {tool(t('smaller'), <ZoomOut aria-hidden />, () => size(-1))}
        {tool(t('larger'), <ZoomIn aria-hidden />, () => size(1))}
      </span>
      {tool(
        t('screenReader'),
        <Accessibility aria-hidden />,
        () => onLook({ ...look, screenReader: !look.screenReader }),
        look.screenReader,
      )}
    </>
  )
}

function StatusLine({ status, again }: { status: TerminalStatus; again?: () => void }) {
  const t = useTranslations('terminals')
  const restart = again ? (
    <Button tone="quiet" size="small" className={toolLook} onClick={again}>
      {t('again')}
    </Button>
  ) : null
  switch (status.kind) {
    case 'opening':
      return (
        <span role="status" className="text-xs opacity-80">
          {t('opening')}
        </span>
      )
    case 'live':
      return (
        <span role="status" className="text-xs opacity-80">
          {status.writable ? t('live') : t('watching')}
        </span>
      )
    case 'lost':
      return (
        <span role="status" className="flex items-center gap-1.5 text-ansi-3 text-xs">
          <WifiOff className="size-3.5" aria-hidden />
          {t('lost')}
        </span>
      )
    case 'exited':
      return (
        <span role="status" className="flex items-center gap-2 text-xs">
          {status.oomKilled
            ? t('exitedOom')
            : status.signal
              ? t('exitedSignal', { signal: status.signal })
              : t('exited', { code: status.exitCode })}
          {restart}
        </span>
      )
    case 'ended':
      return (
        <span role="alert" className="flex min-w-0 items-center gap-2 text-ansi-9 text-xs">
          <span className="truncate">
            <Sentence>{status.message}</Sentence>
          </span>
          {restart}
        </span>
      )
  }
}

function FindBar({ screen, onClose }: { screen: Screen; onClose: () => void }) {
  const t = useTranslations('terminals')
  const [text, setText] = useState('')
  const [missing, setMissing] = useState(false)
  const find = (back: boolean, wanted = text) => setMissing(wanted !== '' && !screen.find(wanted, { back }))
  const close = () => {
    screen.clearFind()
    onClose()
    screen.focus()
  }
  return (
    <div className="absolute top-2 right-4 flex items-center gap-1 rounded-md border border-term-line bg-term p-1 shadow-pop">
      <input
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to search
        autoFocus
        aria-label={t('find')}
        aria-invalid={missing || undefined}
        placeholder={t('find')}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          find(true, event.target.value)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') close()
          if (event.key === 'Enter') find(!event.shiftKey)
        }}
        className="h-7 w-48 rounded-sm border border-term-line bg-transparent px-2 text-term-ink text-xs placeholder:text-term-ink/70 aria-invalid:border-ansi-1"
      />
      <Button tone="quiet" size="icon-small" className={toolLook} hint={t('findPrevious')} onClick={() => find(true)}>
        <ArrowUp aria-hidden />
      </Button>
      <Button tone="quiet" size="icon-small" className={toolLook} hint={t('findNext')} onClick={() => find(false)}>
        <ArrowDown aria-hidden />
      </Button>
      <Button tone="quiet" size="icon-small" className={toolLook} hint={t('findClose')} onClick={close}>
        <X aria-hidden />
      </Button>
    </div>
  )
}
