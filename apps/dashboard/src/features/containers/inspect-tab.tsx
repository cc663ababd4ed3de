'use client'
import { useTranslations } from 'next-intl'
import { useDeferredValue, useMemo, useState } from 'react'
import { CodeBlock, CopyButton } from '../../ui/code-block'
import { CodeEditor } from '../../ui/code-editor'
import { findInJson } from '../../ui/flat-json'
import { FilterInput } from '../../ui/input'
import { visibleText } from '../../ui/visible-text'
import type { TabInput } from './container-tab'

/** Everything that the engine knows of it, whole, or what matches a search with its path. (The browser's own search does not see lines that are not drawn.) */
export function InspectTab({ detail }: TabInput) {
  const t = useTranslations('containers')
  const tu = useTranslations('ui')
  const [query, setQuery] = useState('')
  const wanted = useDeferredValue(query)
  const text = useMemo(() => JSON.stringify(detail, null, 2), [detail])
  const found = useMemo(() => (wanted.trim() ? findInJson(detail, wanted) : null), [detail, wanted])
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 p-3 sm:p-4">
      <FilterInput
        value={query}
        onChange={setQuery}
        label={t('inspect.find')}
        clearLabel={tu('clear')}
        className="w-full shrink-0 sm:w-80"
      />
      {found === null ? (
        <div className="relative flex min-h-0 flex-1 flex-col">
          <CodeEditor value={text} language="json" label={t('tab.inspect')} className="min-h-0 flex-1" />
          <CopyButton text={text} className="absolute top-1 right-2 text-term-ink hover:bg-term-line hover:text-term-ink" />
        </div>
      ) : found.length === 0 ? (
        <p className="text-ink-3" role="status">
          {t('inspect.none')}
        </p>
      ) : (
        <CodeBlock code={found.map(visibleText).join('\n')} wrap label={t('inspect.found')} />
      )}
    </div>
  )
}
