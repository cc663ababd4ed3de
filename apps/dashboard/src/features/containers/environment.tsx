'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../ui/button'
import { CodeBlock } from '../../ui/code-block'
import { Card } from '../../ui/section'
import { visibleText } from '../../ui/visible-text'
import { hideSecret } from './hide-secret'

/** The variables in order of their names. Values that look secret are covered until somebody asks: screens are shared. */
export function Environment({ env }: { env: readonly string[] }) {
  const t = useTranslations('containers')
  const [open, setOpen] = useState(false)
  const sorted = [...env].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const covered = sorted.map(hideSecret)
  const secrets = covered.some((line, index) => line !== sorted[index])
  return (
    <Card
      title={t('overview.environment')}
      className="xl:col-span-2"
      aside={
        <span className="flex items-center gap-2">
          {secrets ? (
            <Button size="small" tone="quiet" aria-pressed={open} onClick={() => setOpen(!open)}>
              {t(open ? 'overview.hideSecrets' : 'overview.showSecrets')}
            </Button>
          ) : null}
          {t('overview.variables', { count: env.length })}
        </span>
      }
    >
      {env.length > 0 ? (
        <CodeBlock code={(open ? sorted : covered).map(visibleText).join('\n')} wrap label={t('overview.environment')} />
      ) : (
        <p className="text-ink-3">{t('overview.noEnvironment')}</p>
      )}
    </Card>
  )
}
