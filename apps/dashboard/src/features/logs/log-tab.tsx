'use client'
import { Maximize2 } from 'lucide-react'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { Button } from '../../ui/button'
import type { DockTab } from '../../ui/dock'
import type { LogSource } from './log-reader'
import { LogView } from './log-view'
import { logsAddress } from './moment'

/** A log in the dock: one container, or several merged (`params.sources`), with the way to the page that shows the same. */
export function LogTab({ tab }: { tab: DockTab }) {
  const t = useTranslations('logs')
  const { sources, hostId, container, name } = tab.params as { sources?: LogSource[]; hostId: string; container: string; name: string }
  // biome-ignore lint/correctness/useExhaustiveDependencies: a tab's parameters never change
  const all = useMemo(() => sources ?? [{ hostId, container, name }], [])
  return (
    <LogView
      sources={all}
      tools={
        <Button asChild tone="quiet" size="small" className="text-term-ink/80 hover:bg-term-line hover:text-term-ink">
          <Link href={logsAddress(all)}>
            <Maximize2 aria-hidden />
            {t('asPage')}
          </Link>
        </Button>
      }
    />
  )
}
