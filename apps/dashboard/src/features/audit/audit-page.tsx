'use client'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Download, ScrollText, ShieldCheck } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { parseAsString, useQueryStates } from 'nuqs'
import { useEffect, useRef, useState } from 'react'
import { AdministratorsOnly } from '../../ui/administrators-only'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { cn } from '../../ui/class-names'
import { CodeBlock } from '../../ui/code-block'
import { Sheet } from '../../ui/dialog'
import { EmptyState } from '../../ui/empty-state'
import { ErrorPanel, Notice } from '../../ui/error-panel'
import { useFormat } from '../../ui/format'
import { Menu, MenuItem } from '../../ui/menu'
import { PageHead } from '../../ui/page'
import { Fact, Facts } from '../../ui/section'
import { Sentence } from '../../ui/sentence'
import { SkeletonRows } from '../../ui/skeleton'
import { isDay } from '../../ui/written-time'
import { type DashboardOutputs, useDashboard } from '../../wire/dashboard'
import { failureOf } from '../../wire/failure'
import { AuditFilters } from './audit-filters'

export type AuditLine = DashboardOutputs['audit']['list']['records'][number]

export const filterParsers = {
  text: parseAsString.withDefault(''),
  person: parseAsString.withDefault(''),
  host: parseAsString.withDefault(''),
  action: parseAsString.withDefault(''),
  outcome: parseAsString.withDefault(''),
  since: parseAsString.withDefault(''),
  until: parseAsString.withDefault(''),
}
export type AuditFilterValues = { [Key in keyof typeof filterParsers]: string }

/** Empty values are no filter; days are whole days in the browser's time. */
function asFilter(values: AuditFilterValues): Record<string, string> {
  const filter: Record<string, string> = {}
  for (const key of ['text', 'person', 'host', 'action', 'outcome'] as const) if (values[key]) filter[key] = values[key]
  // The address may say anything.
  if (isDay(values.since)) filter.since = new Date(`${values.since}T00:00:00`).toISOString()
  if (isDay(values.until)) filter.until = new Date(`${values.until}T23:59:59.999`).toISOString()
  return filter
}

/** Who did what, where, when, from where and how it ended; newest first, live. */
export function AuditPage() {
  const t = useTranslations('audit')
  const dashboard = useDashboard()
  const [values, setValues] = useQueryStates(filterParsers)
  const filter = asFilter(values)
  const list = useInfiniteQuery(
    dashboard.audit.list.infiniteQueryOptions({ ...filter, limit: 100 }, { getNextPageParam: (page) => page.nextCursor ?? undefined }),
  )
  const [shown, setShown] = useState<AuditLine | null>(null)
  const lines = list.data?.pages.flatMap((page) => page.records) ?? []
  const exportUrl = (format: 'jsonl' | 'csv'): string => `/api/audit/export?${new URLSearchParams({ format, ...filter })}`
  if (list.error && failureOf(list.error).code === 'permission_denied')
    return (
      <>
        <PageHead title={t('title')} />
        <AdministratorsOnly />
      </>
    )
  return (
    <>
      <PageHead
        title={t('title')}
        lead={t('lead')}
        actions={
          <>
            <VerifyButton />
            <Menu
              trigger={
                <Button>
                  <Download aria-hidden />
                  {t('export')}
                </Button>
              }
            >
              <MenuItem onSelect={() => window.location.assign(exportUrl('csv'))}>{t('asCsv')}</MenuItem>
              <MenuItem onSelect={() => window.location.assign(exportUrl('jsonl'))}>{t('asJson')}</MenuItem>
            </Menu>
          </>
        }
      />
      <AuditFilters values={values} onChange={(change) => void setValues(change)} />
      {list.error ? <ErrorPanel error={list.error} onRetry={() => void list.refetch()} className="m-4" /> : null}
      {list.isPending ? <SkeletonRows rows={10} /> : null}
      {list.data && lines.length === 0 ? <EmptyState icon={<ScrollText />}>{t('nothing')}</EmptyState> : null}
      {lines.length > 0 ? (
        <Lines
          lines={lines}
          more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : null}
          onShow={setShown}
        />
      ) : null}
      <LineSheet line={shown} onClose={() => setShown(null)} />
    </>
  )
}

const lineLook =
  'grid w-full grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 px-3 sm:grid-cols-[9.5rem_9rem_minmax(0,1fr)_8rem] sm:px-4 md:grid-cols-[9.5rem_8rem_minmax(0,1fr)_7rem_6.5rem] lg:grid-cols-[9.5rem_10rem_minmax(0,1fr)_10rem_8rem]'

function Lines({ lines, more, onShow }: { lines: readonly AuditLine[]; more: (() => void) | null; onShow: (line: AuditLine) => void }) {
  const t = useTranslations('audit')
  const format = useFormat()
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 37,
    overscan: 12,
    getItemKey: (index) => lines[index]?.sequence ?? index,
  })
  const last = virtual.getVirtualItems().at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= lines.length - 10) more?.()
  }, [last, lines.length, more])
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto border-t">
      <div aria-hidden className={cn('sticky top-0 z-10 h-8 border-b bg-canvas font-medium text-ink-3 text-xs max-sm:hidden', lineLook)}>
        <span>{t('when')}</span>
        <span>{t('who')}</span>
        <span>{t('action')}</span>
        <span className="max-md:hidden">{t('host')}</span>
        <span>{t('outcome')}</span>
      </div>
      <ul aria-label={t('title')} className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index]
          if (!line) return null
          return (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="absolute inset-x-0 top-0 border-b"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <button
                type="button"
                onClick={() => onShow(line)}
                className={cn('min-h-9 py-1 text-left outline-offset-[-2px] hover:bg-hover', lineLook)}
              >
                <time dateTime={line.at} className="tabular text-ink-3 text-xs">
                  {format.dateTime(line.at)}
                </time>
                <span className="truncate font-medium max-sm:order-first">{line.personName || t('nobody')}</span>
                <span className="min-w-0 truncate max-sm:col-span-2">
                  <code className="text-xs">{line.action}</code> <span className="text-ink-2">{shortIds(line.subject)}</span>
                </span>
                <span className="truncate text-ink-3 text-xs max-md:hidden">{line.hostName || line.from}</span>
                <span className={cn('min-w-0', line.outcome === 'ok' && 'max-sm:hidden')}>
                  <OutcomeBadge outcome={line.outcome} />
                </span>
              </button>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

/** An id whose name was not known is told by its beginning, as everywhere; the whole one stands in the detail. */
function shortIds(subject: string): string {
  return subject.replace(/(?:sha256:)?\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1')
}

function OutcomeBadge({ outcome }: { outcome: string }) {
  const t = useTranslations('audit')
  // What went well is the rule: it is said quietly, so that the others stand out.
  if (outcome === 'ok') return <span className="text-ink-3 text-xs">{t('ok')}</span>
  return (
    <Badge tone={outcome === 'permission_denied' || outcome === 'unauthenticated' ? 'warn' : 'bad'}>
      <span className="truncate">{outcome.replaceAll('_', ' ')}</span>
    </Badge>
  )
}

function LineSheet({ line, onClose }: { line: AuditLine | null; onClose: () => void }) {
  const t = useTranslations('audit')
  const format = useFormat()
  return (
    <Sheet
      open={line !== null}
      onOpenChange={(open) => !open && onClose()}
      title={line?.action ?? ''}
      description={line ? format.dateTime(line.at) : undefined}
    >
      {line ? (
        <div className="grid gap-4">
          <Facts>
            <Fact name={t('who')}>{line.personName || t('nobody')}</Fact>
            <Fact name={t('via')}>{t(`viaWords.${line.via as 'session'}`)}</Fact>
            <Fact name={t('from')} mono>
              {line.from || '–'}
            </Fact>
            <Fact name={t('host')}>{line.hostName || '–'}</Fact>
            <Fact name={t('subject')}>{line.subject || '–'}</Fact>
            <Fact name={t('outcome')}>
              <OutcomeBadge outcome={line.outcome} />
            </Fact>
            {line.message ? (
              <Fact name={t('message')}>
                <Sentence>{line.message}</Sentence>
              </Fact>
            ) : null}
            <Fact name={t('line')}>{line.sequence}</Fact>
            <Fact name={t('hash')} mono>
              {line.hash}
            </Fact>
          </Facts>
          {line.detail ? <CodeBlock code={pretty(line.detail)} wrap label={t('detail')} /> : null}
        </div>
      ) : null}
    </Sheet>
  )
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2)
  } catch {
    return json
  }
}

/** Follows the whole chain at the server and says whether a line was changed, removed or cut off. */
function VerifyButton() {
  const t = useTranslations('audit')
  const verify = useQuery(useDashboard().audit.verify.queryOptions(undefined, { enabled: false }))
  const [asked, setAsked] = useState(false)
  const verdict = asked ? verify.data : undefined
  return (
    <span className="flex items-center gap-2">
      {verdict ? (
        <Notice tone={verdict.ok ? 'good' : 'warn'} className="py-1">
          {verdict.ok ? t('whole', { count: verdict.checked }) : t('broken', { reason: verdict.reason })}
        </Notice>
      ) : null}
      <Button
        busy={verify.isFetching && asked}
        onClick={() => {
          setAsked(true)
          void verify.refetch()
        }}
      >
        <ShieldCheck aria-hidden />
        {t('verify')}
      </Button>
    </span>
  )
}
