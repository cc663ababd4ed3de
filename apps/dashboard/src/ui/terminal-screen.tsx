'use client'
import '@xterm/xterm/css/xterm.css'
import type { SearchAddon } from '@xterm/addon-search'
import type { Terminal } from '@xterm/xterm'
import { useTheme } from 'next-themes'
import { useEffect, useRef } from 'react'
import { cn } from './class-names'
import { copyText } from './code-block'

/** A screen that is ready: what its owner can do with it. */
export interface Screen {
  cols: number
  rows: number
  /** Draws bytes; kept when they are on the screen. `quiet`: what the terminal would answer to them is dropped (bytes of the past). */
  write: (bytes: Uint8Array | string, quiet?: boolean) => Promise<void>
  /** Forgets everything: a replay follows. */
  reset: () => void
  focus: () => void
  find: (text: string, options: { back?: boolean; regex?: boolean; caseSensitive?: boolean }) => boolean
  clearFind: () => void
  selection: () => string
  paste: (text: string) => void
  clear: () => void
  fit: () => void
  /** Everything in the scroll-back and on the screen as text. */
  text: () => string
}

interface TerminalScreenProps {
  label: string
  onReady: (screen: Screen) => void
  /** Bytes that the person typed. */
  onInput: (bytes: Uint8Array) => void
  onResize: (cols: number, rows: number) => void
  /** Ctrl-Shift-F. */
  onFind?: () => void
  /** Ctrl-Shift-L: a terminal takes every other key, Tab too, so this is the way out without a mouse. */
  onLeave: () => void
  /** Id of the text that says so. */
  describedBy: string
  fontSize: number
  screenReader: boolean
  /** Not in front: nothing is measured. */
  visible: boolean
  className?: string
}

const encoder = new TextEncoder()

/** xterm.js, loaded when the first terminal is opened. Bytes go in and out as bytes: they are never decoded on the way. */
export function TerminalScreen(props: TerminalScreenProps) {
  const holder = useRef<HTMLDivElement>(null)
  const terminal = useRef<Terminal | null>(null)
  const refit = useRef<() => void>(() => {})
  const newest = useRef(props)
  newest.current = props
  const { resolvedTheme } = useTheme()
  useEffect(() => {
    const element = holder.current
    if (!element) return
    let gone = false
    let stop: (() => void) | undefined
    void openTerminal(element, newest).then((opened) => {
      if (gone) return opened.stop()
      terminal.current = opened.terminal
      refit.current = opened.fit
      stop = opened.stop
    })
    return () => {
      gone = true
      terminal.current = null
      stop?.()
    }
  }, [])
  useEffect(() => {
    if (!terminal.current) return
    terminal.current.options.fontSize = props.fontSize
    terminal.current.options.screenReaderMode = props.screenReader
    if (props.visible) requestAnimationFrame(() => refit.current())
  }, [props.fontSize, props.screenReader, props.visible])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new theme has another ground
  useEffect(() => {
    if (terminal.current && holder.current) terminal.current.options.theme = terminalTheme(holder.current)
  }, [resolvedTheme])
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      ref={holder}
      role="group"
      aria-label={props.label}
      className={cn('min-h-0 min-w-0 flex-1 overflow-hidden bg-term pt-1.5 pl-2', props.className)}
    />
  )
}

async function openTerminal(element: HTMLElement, props: { current: TerminalScreenProps }) {
  const [{ Terminal }, { FitAddon }, { SearchAddon }, { WebLinksAddon }, { Unicode11Addon }] = await Promise.all([
    import('@xterm/xterm'),
    import('@xterm/addon-fit'),
    import('@xterm/addon-search'),
    import('@xterm/addon-web-links'),
    import('@xterm/addon-unicode11'),
  ])
  await document.fonts.load('13px "JetBrains Mono Variable"').catch(() => [])
  const terminal = new Terminal({
    allowProposedApi: true,
    fontFamily: getComputedStyle(element).getPropertyValue('--face-code'),
    fontSize: props.current.fontSize,
    screenReaderMode: props.current.screenReader,
    scrollback: 10_000,
    cursorBlink: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
    macOptionIsMeta: true,
    rightClickSelectsWord: true,
    minimumContrastRatio: 4.5,
    theme: terminalTheme(element),
  })
  const fitter = new FitAddon()
  const search = new SearchAddon({ highlightLimit: 500 })
  terminal.loadAddon(fitter)
  terminal.loadAddon(search)
  terminal.loadAddon(new WebLinksAddon((_event, uri) => window.open(uri, '_blank', 'noopener,noreferrer')))
  terminal.loadAddon(new Unicode11Addon())
  terminal.unicode.activeVersion = '11'
  terminal.open(element)
  terminal.textarea?.setAttribute('aria-describedby', props.current.describedBy)
  let quiet = 0
  terminal.onData((data) => quiet === 0 && props.current.onInput(encoder.encode(data)))
  terminal.onBinary((data) => quiet === 0 && props.current.onInput(Uint8Array.from(data, (char) => char.charCodeAt(0) & 255)))
  terminal.onResize(({ cols, rows }) => props.current.onResize(cols, rows))
  terminal.attachCustomKeyEventHandler((event) => handleKey(event, terminal, props))
  const fit = () => {
    if (element.clientWidth > 0 && element.clientHeight > 0) fitter.fit()
  }
  const watch = new ResizeObserver(() => requestAnimationFrame(fit))
  watch.observe(element)
  fit()
  const write: Screen['write'] = (bytes, isQuiet = false) => {
    if (isQuiet) quiet += 1
    return new Promise((done) =>
      terminal.write(bytes, () => {
        if (isQuiet) quiet -= 1
        done()
      }),
    )
  }
  props.current.onReady(screenOf(terminal, search, write, fit))
  return {
    terminal,
    fit,
    stop: () => {
      watch.disconnect()
      terminal.dispose()
    },
  }
}

function screenOf(terminal: Terminal, search: SearchAddon, write: Screen['write'], fit: () => void): Screen {
  const decorations = {
    matchBackground: '#7a5c14',
    activeMatchBackground: '#c08a1e',
    matchOverviewRuler: '#7a5c14',
    activeMatchColorOverviewRuler: '#c08a1e',
  }
  return {
    get cols() {
      return terminal.cols
    },
    get rows() {
      return terminal.rows
    },
    write,
    reset: () => terminal.reset(),
    focus: () => terminal.focus(),
    find: (text, { back, regex, caseSensitive }) => {
      const options = { regex, caseSensitive, decorations }
      return back ? search.findPrevious(text, options) : search.findNext(text, options)
    },
    clearFind: () => search.clearDecorations(),
    selection: () => terminal.getSelection(),
    paste: (text) => terminal.paste(text),
    clear: () => terminal.clear(),
    fit,
    text: () => {
      const buffer = terminal.buffer.active
      const lines: string[] = []
      for (let line = 0; line < buffer.length; line += 1) lines.push(buffer.getLine(line)?.translateToString(true) ?? '')
      return lines.join('\n')
    },
  }
}

/** Ctrl-Shift-C copies, Ctrl-Shift-F searches, Ctrl-Shift-L leaves; Ctrl-Shift-V is left to the browser, whose paste event xterm takes. */
function handleKey(event: KeyboardEvent, terminal: Terminal, props: { current: TerminalScreenProps }): boolean {
  if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey) return true
  if (event.code === 'KeyC' && terminal.hasSelection()) {
    event.preventDefault()
    void copyText(terminal.getSelection()).then(() => terminal.focus())
    return false
  }
  if (event.code === 'KeyF' && props.current.onFind) {
    event.preventDefault()
    props.current.onFind()
    return false
  }
  if (event.code === 'KeyL') {
    event.preventDefault()
    props.current.onLeave()
    return false
  }
  return event.code !== 'KeyV'
}

/** A 2d context turns any CSS colour into what xterm's parser reads. */
function terminalTheme(element: HTMLElement) {
  const style = getComputedStyle(element)
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const hex = (name: string): string => {
    const value = style.getPropertyValue(name).trim()
    if (!context) return '#101820'
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = value
    context.fillRect(0, 0, 1, 1)
    const [r = 0, g = 0, b = 0] = context.getImageData(0, 0, 1, 1).data
    return `#${[r, g, b].map((part) => part.toString(16).padStart(2, '0')).join('')}`
  }
  return {
    background: hex('--term'),
    foreground: hex('--term-ink'),
    cursor: hex('--ansi-6'),
    cursorAccent: hex('--term'),
    selectionBackground: hex('--term-pressed'),
    black: hex('--ansi-0'),
    red: hex('--ansi-1'),
    green: hex('--ansi-2'),
    yellow: hex('--ansi-3'),
    blue: hex('--ansi-4'),
    magenta: hex('--ansi-5'),
    cyan: hex('--ansi-6'),
    white: hex('--ansi-7'),
    brightBlack: hex('--ansi-8'),
    brightRed: hex('--ansi-9'),
    brightGreen: hex('--ansi-10'),
    brightYellow: hex('--ansi-11'),
    brightBlue: hex('--ansi-12'),
    brightMagenta: hex('--ansi-13'),
    brightCyan: hex('--ansi-14'),
    brightWhite: hex('--ansi-15'),
  }
}
