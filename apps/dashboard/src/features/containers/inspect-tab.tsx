'use client'
import { useTranslations } from 'next-intl'
import { CopyButton } from '../../ui/code-block'
import { CodeEditor } from '../../ui/code-editor'
import type { TabInput } from './container-tab'

/** Everything that the engine knows of it. */
export function InspectTab({ detail }: TabInput) {
  const t = useTranslations('containers')
  const text = JSON.stringify(detail, null, 2)
  return (
    <div className="relative flex min-h-0 flex-1 flex-col p-3 sm:p-4">
      <CodeEditor value={text} language="json" label={t('tab.inspect')} className="min-h-0 flex-1" />
      <CopyButton text={text} className="absolute top-5 right-6 text-term-ink hover:bg-term-line hover:text-term-ink" />
    </div>
  )
}
