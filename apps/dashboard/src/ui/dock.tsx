'use client'
import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import {
  createContext,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { Button } from './button'
import { cn } from './class-names'
import { usePhone } from './media-query'
import { useStoredState } from './stored-state'

/** One open thing in the dock. All of it can be written as JSON, so that a reloaded page opens the same tabs again. */
export interface DockTab {
  id: string
  /** Which renderer draws it. */
  kind: string
  title: string
  /** Where it belongs, muted after the title. */
  place?: string
  params: Record<string, unknown>
}

/** What draws one kind of tab. */
export interface DockRenderer {
  icon: ReactNode
  render: (tab: DockTab, visible: boolean) => ReactNode
  /** Runs before a tab is closed; false keeps it open. */
  beforeClose?: (tab: DockTab) => Promise<boolean>
}

interface Dock {
  tabs: DockTab[]
  active: string | null
  open: (tab: DockTab) => void
  update: (id: string, change: Partial<Pick<DockTab, 'title' | 'params'>>) => void
  close: (id: string) => void
}
const DockContext = createContext<Dock | null>(null)
const nothingOpen: { tabs: DockTab[]; active: string | null; folded: boolean; height: number } = {
  tabs: [],
  active: null,
  folded: false,
  height: 320,
}

/** The dock around: open a tab from anywhere below a DockProvider. */
export function useDock(): Dock {
  const dock = useContext(DockContext)
  if (!dock) throw new Error('useDock is used outside of a DockProvider')
  return dock
}

/** Opens the tab of a long task (`kind` operation): its progress stays in view while one moves on. */
export function useShowTask(): (place: { id: string; name: string | undefined }, task: string, title: string) => void {
  const { open } = useDock()
  return useCallback(
    (place, task, title) =>
      open({
        id: `operation-${place.id}-${task}`,
        kind: 'operation',
        title,
        place: place.name,
        params: { hostId: place.id, operation: task },
      }),
    [open],
  )
}

const openedHere = new Set<string>()

/** Whether somebody opened this tab since the page was loaded. One that the page brought back takes no keys by itself: what is typed next was not meant for it. */
export function wasOpenedHere(id: string): boolean {
  return openedHere.has(id)
}

function useDockState() {
  const [state, setState] = useStoredState('dock', nothingOpen, true)
  const open = useCallback(
    (tab: DockTab) => {
      openedHere.add(tab.id)
      setState((before) => ({
        ...before,
        folded: false,
        active: tab.id,
        tabs: before.tabs.some((one) => one.id === tab.id) ? before.tabs : [...before.tabs, tab],
      }))
    },
    [setState],
  )
  const update = useCallback(
    (id: string, change: Partial<Pick<DockTab, 'title' | 'params'>>) =>
      setState((before) => ({ ...before, tabs: before.tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) })),
    [setState],
  )
  const close = useCallback(
    (id: string) =>
      setState((before) => {
        const at = before.tabs.findIndex((tab) => tab.id === id)
        const tabs = before.tabs.filter((tab) => tab.id !== id)
        const active = before.active === id ? (tabs[Math.min(at, tabs.length - 1)]?.id ?? null) : before.active
        return { ...before, tabs, active }
      }),
    [setState],
  )
  return { state, setState, open, update, close }
}

/**
 * Puts `children` above a panel whose tabs stay open while one moves around. The panel's height is dragged at its upper edge or moved with the arrow
 * keys; every tab stays alive while it is not in front.
 */
export function DockProvider({ renderers, children }: { renderers: Record<string, DockRenderer>; children: ReactNode }) {
  const { state, setState, open, update, close } = useDockState()
  const [ready, setReady] = useState(false)
  useEffect(() => {
    // On a phone the panel covers the page: what was open before is one touch away, below.
    if (window.matchMedia('(max-width: 639px)').matches) setState((before) => ({ ...before, folded: true }))
    setReady(true)
  }, [setState])
  const dock = useMemo<Dock>(
    () => ({ tabs: state.tabs, active: state.active, open, update, close }),
    [state.tabs, state.active, open, update, close],
  )
  return (
    <DockContext.Provider value={dock}>
      <div className="flex h-full min-h-0 flex-col">
        <div className="flex min-h-0 flex-1 flex-col">{children}</div>
        {ready && state.tabs.length > 0 ? (
          <Panel
            dock={dock}
            renderers={renderers}
            folded={state.folded}
            height={state.height}
            onFold={(folded) => setState((before) => ({ ...before, folded }))}
            onHeight={(height) => setState((before) => ({ ...before, height }))}
            onActive={(active) => setState((before) => ({ ...before, active, folded: false }))}
          />
        ) : null}
      </div>
    </DockContext.Provider>
  )
}

interface PanelProps {
  dock: Dock
  renderers: Record<string, DockRenderer>
  folded: boolean
  height: number
  onFold: (folded: boolean) => void
  onHeight: (height: number) => void
  onActive: (id: string) => void
}

function Panel({ dock, renderers, folded, height, onFold, onHeight, onActive }: PanelProps) {
  const t = useTranslations('ui')
  const phone = usePhone()
  // What floats over the page (toasts) stands above the panel and not on its buttons.
  useEffect(() => {
    const { style } = document.documentElement
    style.setProperty('--dock', folded || phone ? '2.75rem' : `min(${height}px, 82dvh)`)
    return () => {
      style.removeProperty('--dock')
    }
  }, [folded, phone, height])
  const panel = useRef<HTMLElement>(null)
  const close = async (tab: DockTab) => {
    const inside = panel.current?.contains(document.activeElement)
    if ((await renderers[tab.kind]?.beforeClose?.(tab)) === false) return
    dock.close(tab.id)
    // What had the focus goes with the tab: the next tab has it, or, after the last one, the page.
    if (inside)
      requestAnimationFrame(() =>
        (panel.current?.querySelector<HTMLElement>('[role=tab][aria-selected=true]') ?? document.getElementById('content'))?.focus(),
      )
  }
  return (
    <section
      ref={panel}
      aria-label={t('dock')}
      className={cn(
        'relative flex shrink-0 flex-col border-line-strong border-t bg-surface',
        phone && !folded && 'fixed inset-0 z-40 border-t-0',
      )}
      style={folded || phone ? undefined : { height: `min(${height}px, 82dvh)` }}
    >
      {folded || phone ? null : <Edge height={height} onHeight={onHeight} label={t('resizeDock')} />}
      <div className="flex h-9 shrink-0 items-stretch border-b bg-sunken pl-2 pointer-coarse:h-11">
        {/* A list of tabs may hold tabs alone; here each has its closing button beside it, so the list owns them from outside. */}
        <span role="tablist" aria-label={t('dock')} aria-owns={dock.tabs.map((tab) => `dock-tab-${tab.id}`).join(' ')} />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: keys pressed on the tabs inside bubble up to here */}
        <div
          className="flex min-w-0 flex-1 overflow-x-auto [scrollbar-width:none]"
          onKeyDown={(event) => stepTabs(event, dock, onActive, (tab) => void close(tab))}
        >
          {dock.tabs.map((tab) => (
            <div
              key={tab.id}
              className={cn(
                'group flex shrink-0 items-center border-r',
                tab.id === dock.active && !folded
                  ? 'bg-surface text-ink shadow-[inset_0_2px_0_var(--accent)]'
                  : 'text-ink-3 hover:text-ink',
              )}
            >
              <button
                type="button"
                role="tab"
                id={`dock-tab-${tab.id}`}
                aria-selected={tab.id === dock.active}
                aria-controls={`dock-panel-${tab.id}`}
                tabIndex={tab.id === dock.active ? 0 : -1}
                onClick={() => onActive(tab.id)}
                onAuxClick={(event) => event.button === 1 && void close(tab)}
                className="flex h-full items-center gap-1.5 pr-1 pl-2.5 text-xs outline-offset-[-3px] [&_svg]:size-3.5"
              >
                {renderers[tab.kind]?.icon}
                <span className="max-w-44 truncate font-medium">{tab.title}</span>
                {tab.place ? <span className="max-w-32 truncate text-ink-3">{tab.place}</span> : null}
              </button>
              <button
                type="button"
                tabIndex={tab.id === dock.active ? 0 : -1}
                aria-label={t('closeTab', { title: tab.title })}
                onClick={() => void close(tab)}
                className="mr-1.5 grid size-5 pointer-coarse:size-9 place-items-center rounded-sm text-ink-3 hover:bg-hover hover:text-ink"
              >
                <X className="size-3" aria-hidden />
              </button>
            </div>
          ))}
        </div>
        <Button
          tone="quiet"
          size="icon-small"
          className="mx-1.5 self-center"
          hint={folded ? t('unfoldDock') : t('foldDock')}
          onClick={() => onFold(!folded)}
        >
          {folded ? <ChevronUp aria-hidden /> : <ChevronDown aria-hidden />}
        </Button>
      </div>
      {dock.tabs.map((tab) => {
        const visible = tab.id === dock.active && !folded
        return (
          <div
            key={tab.id}
            role="tabpanel"
            id={`dock-panel-${tab.id}`}
            aria-labelledby={`dock-tab-${tab.id}`}
            hidden={!visible}
            className={cn('min-h-0 flex-1', visible && 'flex flex-col')}
          >
            {renderers[tab.kind]?.render(tab, visible)}
          </div>
        )
      })}
    </section>
  )
}

/**
 * Keys on the tabs, as the APG has them: arrows go round, Home and End go to the ends, Delete closes. A tab that has the focus is open (automatic activation): every
 * panel is there already, so nothing is waited for.
 */
function stepTabs(event: KeyboardEvent, dock: Dock, onActive: (id: string) => void, onClose: (tab: DockTab) => void) {
  if (!(event.target instanceof HTMLElement) || event.target.role !== 'tab') return
  const at = dock.tabs.findIndex((tab) => tab.id === dock.active)
  const tab = dock.tabs[at]
  if (event.key === 'Delete' && tab) return onClose(tab)
  const last = dock.tabs.length - 1
  const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[event.key]
  const next = to === undefined ? undefined : dock.tabs[to]
  if (!next) return
  event.preventDefault()
  onActive(next.id)
  document.getElementById(`dock-tab-${next.id}`)?.focus()
}

const lowest = 120

/** The upper edge: dragged with a pointer, moved with the arrow keys. */
function Edge({ height, onHeight, label }: { height: number; onHeight: (height: number) => void; label: string }) {
  const from = useRef<{ y: number; height: number } | null>(null)
  const clamp = (value: number) => Math.round(Math.min(window.innerHeight * 0.82, Math.max(lowest, value)))
  const move = (event: PointerEvent) => {
    if (from.current) onHeight(clamp(from.current.height + from.current.y - event.clientY))
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> cannot be moved
    <div
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label={label}
      aria-valuenow={height}
      aria-valuemin={lowest}
      aria-valuemax={2000}
      className="absolute inset-x-0 -top-1 z-10 h-2 cursor-row-resize touch-none hover:bg-accent/30 focus-visible:bg-accent/40 focus-visible:outline-none"
      onPointerDown={(event) => {
        from.current = { y: event.clientY, height }
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={move}
      onPointerUp={() => {
        from.current = null
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowUp' ? 24 : event.key === 'ArrowDown' ? -24 : 0
        if (!step) return
        event.preventDefault()
        onHeight(clamp(height + step))
      }}
    />
  )
}
