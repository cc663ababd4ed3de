'use client'
import type { EditorView } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import { cn } from './class-names'

export type CodeLanguage = 'json' | 'yaml' | 'text'

interface CodeEditorProps {
  value: string
  language: CodeLanguage
  label: string
  /** Absent = read only. */
  onChange?: (value: string) => void
  wrap?: boolean
  className?: string
}

/** CodeMirror, loaded when the first one is shown: folding, search (Ctrl-F), line numbers. Dark in both themes, as terminals are. */
export function CodeEditor(props: CodeEditorProps) {
  const holder = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const newest = useRef(props)
  newest.current = props
  const { language, wrap, label } = props
  const readOnly = props.onChange === undefined
  useEffect(() => {
    const element = holder.current
    if (!element) return
    let gone = false
    void makeEditor(element, newest, { language, wrap: wrap ?? false, readOnly, label }).then((made) => {
      if (gone) made.destroy()
      else view.current = made
    })
    return () => {
      gone = true
      view.current?.destroy()
      view.current = null
    }
  }, [language, wrap, readOnly, label])
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === props.value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.value } })
  }, [props.value])
  return (
    <div
      ref={holder}
      className={cn('min-h-24 min-w-0 overflow-hidden rounded-md border border-term-line bg-term text-term-ink', props.className)}
    />
  )
}

async function makeEditor(
  element: HTMLElement,
  props: { current: CodeEditorProps },
  options: { language: CodeLanguage; wrap: boolean; readOnly: boolean; label: string },
): Promise<EditorView> {
  const [{ EditorView, basicSetup }, { EditorState }, { HighlightStyle, syntaxHighlighting }, { tags }, language] = await Promise.all([
    import('codemirror'),
    import('@codemirror/state'),
    import('@codemirror/language'),
    import('@lezer/highlight'),
    options.language === 'json'
      ? import('@codemirror/lang-json').then((module) => [module.json()])
      : options.language === 'yaml'
        ? import('@codemirror/lang-yaml').then((module) => [module.yaml()])
        : Promise.resolve([]),
  ])
  const colours = HighlightStyle.define([
    { tag: tags.propertyName, color: 'var(--ansi-6)' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--ansi-10)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--ansi-3)' },
    { tag: [tags.keyword, tags.definition(tags.propertyName)], color: 'var(--ansi-5)' },
    { tag: tags.comment, color: 'var(--term-muted)' },
    { tag: tags.punctuation, color: 'var(--ansi-7)' },
  ])
  const theme = EditorView.theme(
    {
      '&': { backgroundColor: 'transparent', color: 'inherit', fontSize: '12px', height: '100%' },
      '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
      '.cm-scroller': { fontFamily: 'var(--face-code)', lineHeight: '1.55', overflow: 'auto' },
      '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--term-muted)', border: 'none' },
      '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in oklch, var(--term-ink) 5%, transparent)' },
      '.cm-cursor': { borderLeftColor: 'var(--ansi-6)' },
      '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
        backgroundColor: 'var(--term-pressed)',
      },
      '.cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--ink)' },
      '.cm-foldPlaceholder': { backgroundColor: 'var(--term-line)', color: 'var(--ansi-7)', border: 'none', padding: '0 6px' },
    },
    { dark: true },
  )
  return new EditorView({
    parent: element,
    state: EditorState.create({
      doc: props.current.value,
      extensions: [
        basicSetup,
        ...language,
        syntaxHighlighting(colours),
        theme,
        EditorState.readOnly.of(options.readOnly),
        EditorView.contentAttributes.of({ 'aria-label': options.label, tabindex: '0' }),
        ...(options.wrap ? [EditorView.lineWrapping] : []),
        EditorView.updateListener.of((update) => update.docChanged && props.current.onChange?.(update.state.doc.toString())),
      ],
    }),
  })
}
