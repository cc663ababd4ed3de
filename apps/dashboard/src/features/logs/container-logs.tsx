'use client'
import { Merge } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Button } from '../../ui/button'
import { Menu, MenuCheck, MenuLabel } from '../../ui/menu'
import { useAcross } from '../../wire/across'
import { LogView } from './log-view'

/** The log of a container's page, with the choice of further containers of the host to merge with it. */
export function ContainerLogs({ hostId, container, name, at }: { hostId: string; container: string; name: string; at: number | null }) {
  const t = useTranslations('logs')
  const { rows } = useAcross(hostId, 'containers')
  const [merged, setMerged] = useState<readonly string[]>([])
  const sources = useMemo(
    () => [
      { hostId, container, name },
      ...rows.filter((row) => merged.includes(row.item.id)).map((row) => ({ hostId, container: row.item.id, name: row.item.name })),
    ],
    [hostId, container, name, merged, rows],
  )
  const others = rows.filter((row) => row.item.id !== container)
  const key = sources.map((source) => `${source.container}${source.name}`).join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same sources stay the same array, whatever else the list says
  const stable = useMemo(() => sources, [key])
  return (
    <LogView
      sources={stable}
      at={at}
      tools={
        others.length > 0 ? (
          <Menu
            align="start"
            trigger={
              <Button tone="quiet" size="small" className="text-term-ink/80 hover:bg-term-line hover:text-term-ink" hint={t('mergedHelp')}>
                <Merge aria-hidden />
                {t('merged')}
                {merged.length > 0 ? ` (${merged.length})` : null}
              </Button>
            }
          >
            <MenuLabel>{t('merged')}</MenuLabel>
            {others.slice(0, 100).map((row) => (
              <MenuCheck
                key={row.item.id}
                checked={merged.includes(row.item.id)}
                onChange={(next) => setMerged((before) => (next ? [...before, row.item.id] : before.filter((id) => id !== row.item.id)))}
              >
                <span className="max-w-64 truncate">{row.item.name}</span>
              </MenuCheck>
            ))}
          </Menu>
        ) : null
      }
    />
  )
}
