'use client'
import type { ContainerSummary } from '@berth/contract/container'
import {
  Box,
  Contrast,
  CornerDownLeft,
  Download,
  HardDrive,
  Languages,
  Layers,
  type LucideIcon,
  Network,
  Pause,
  Play,
  Plus,
  RotateCw,
  ScrollText,
  Server,
  Square,
  SquareTerminal,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useLocale, useTranslations } from 'next-intl'
import { useTheme } from 'next-themes'
import { useMemo } from 'react'
import { localeCookie } from '../../i18n/locale'
import { useDock } from '../../ui/dock'
import { sayDone, sayFailed } from '../../ui/toaster'
import { everyHost, type Placed, useAcross } from '../../wire/across'
import { agentClient, dataUrl } from '../../wire/agent'
import { useAllow } from '../../wire/allow'
import { useScope } from '../../wire/hosts'
import { nouns, pathOf, usePlace } from './place'
import type { Ranked } from './rank'

/** One thing that the palette can open or do. */
export interface Entry extends Ranked {
  key: string
  label: string
  icon: LucideIcon
  /** The host, where there are several. */
  place: string
  /** Shown while nothing is typed. */
  atFirst: boolean
  /** Why it cannot be done now. */
  reason: string | null
  /** The same on the command line of that host. */
  command?: string
  run: () => void
}

type Verb = 'start' | 'stop' | 'restart' | 'pause' | 'unpause'
const verbIcons: Record<Verb, LucideIcon> = { start: Play, stop: Square, restart: RotateCw, pause: Pause, unpause: Play }
const verbsOf: Record<ContainerSummary['state']['status'], readonly Verb[]> = {
  running: ['stop', 'restart', 'pause'],
  paused: ['unpause', 'stop'],
  restarting: ['stop'],
  created: ['start'],
  exited: ['start'],
  dead: ['start'],
  removing: [],
}
/** Containers that are offered before anything is typed. */
const fewContainers = 6

/** Everything on every host, with what can be done with it now. */
export function usePaletteEntries(): readonly Entry[] {
  const t = useTranslations('shell')
  const router = useRouter()
  const dock = useDock()
  const allow = useAllow('')
  const { scope } = usePlace()
  const { hosts, several, target } = useScope(everyHost)
  const here = scope === everyHost ? target : scope
  const containers = useAcross(everyHost, 'containers').rows
  const images = useAcross(everyHost, 'images').rows
  const volumes = useAcross(everyHost, 'volumes').rows
  const networks = useAcross(everyHost, 'networks').rows
  const appearance = useAppearanceEntries()
  return useMemo(() => {
    const entry = (one: Omit<Entry, 'text' | 'weight' | 'atFirst' | 'reason' | 'place'> & Partial<Entry> & { words: string }): Entry => ({
      weight: 1,
      atFirst: false,
      reason: null,
      place: '',
      ...one,
      text: `${one.words} ${one.label} ${one.place ?? ''}`.toLowerCase(),
    })
    const go = (path: string) => () => router.push(path)
    const placeOf = (row: Placed<unknown>) => (several ? row.hostName : '')
    const page = (key: string, label: string, path: string, words = '', icon: LucideIcon = CornerDownLeft) =>
      entry({ key: `page-${key}`, group: 'pages', label, words: `${label} ${key} ${words}`, icon, atFirst: true, run: go(path) })
    return [
      ...containers.flatMap((row, index) => containerEntries(row, index)),
      ...images.flatMap((row) => {
        const name = row.item.tags[0] ?? row.item.id.slice(7, 19)
        const words = `${row.item.tags.join(' ')} ${row.item.id.slice(7, 19)}`
        const key = `image-${row.hostId}-${row.item.id}`
        const place = placeOf(row)
        return [
          entry({
            key,
            group: 'images',
            words,
            label: name,
            icon: Layers,
            place,
            run: go(`${pathOf(row.hostId, 'images')}/${encodeURIComponent(row.item.id)}`),
          }),
          entry({
            key: `${key}-run`,
            group: 'images',
            words: `${words} run`,
            label: t('act.run', { name }),
            icon: Plus,
            place,
            weight: 0.9,
            reason: allow('create', row.hostId),
            command: `docker run ${name}`,
            run: go(`${pathOf(row.hostId, 'containers')}/new?image=${encodeURIComponent(name)}`),
          }),
        ]
      }),
      ...volumes.flatMap((row) => {
        const { name } = row.item
        const place = placeOf(row)
        return [
          entry({
            key: `volume-${row.hostId}-${name}`,
            group: 'volumes',
            words: name,
            label: name,
            icon: HardDrive,
            place,
            run: go(`${pathOf(row.hostId, 'volumes')}/${encodeURIComponent(name)}`),
          }),
          entry({
            key: `volume-${row.hostId}-${name}-backup`,
            group: 'volumes',
            words: `${name} backup`,
            label: t('act.backup', { name }),
            icon: Download,
            place,
            weight: 0.9,
            reason: allow('files', row.hostId),
            command: `docker run --rm -v ${name}:/from:ro busybox tar -czC /from . > ${name}.tar.gz`,
            run: () => window.location.assign(dataUrl(row.hostId, 'volumes/backup', { volume: name })),
          }),
        ]
      }),
      ...networks.map((row) =>
        entry({
          key: `network-${row.hostId}-${row.item.id}`,
          group: 'networks',
          words: `${row.item.name} ${row.item.pools.map((pool) => pool.subnet).join(' ')}`,
          label: row.item.name,
          icon: Network,
          place: placeOf(row),
          run: go(`${pathOf(row.hostId, 'networks')}/${encodeURIComponent(row.item.id)}`),
        }),
      ),
      ...hosts.map((host) =>
        entry({
          key: `host-${host.id}`,
          group: 'hosts',
          words: host.name,
          label: host.name,
          icon: Server,
          atFirst: true,
          run: go(pathOf(host.id, '')),
        }),
      ),
      entry({
        key: 'new-container',
        group: 'pages',
        words: 'run create container',
        label: t('newContainer'),
        icon: Plus,
        atFirst: true,
        reason: allow('create', here),
        run: go(`${pathOf(here, 'containers')}/new`),
      }),
      ...nouns.map((noun) => page(noun, t(`nav.${noun}`), pathOf(scope, noun))),
      page('hosts', t('nav.hosts'), '/hosts'),
      page('people', t('nav.people'), '/people', 'users roles'),
      page('audit', t('nav.audit'), '/audit'),
      page('account', t('account'), '/account', 'password token session totp'),
      page('add-host', t('addHost'), '/hosts/add', 'join enrol', Plus),
      ...appearance.map((one) => entry({ ...one, group: 'appearance' })),
    ]

    function containerEntries(row: Placed<ContainerSummary>, index: number): Entry[] {
      const { item: container, hostId } = row
      const { name } = container
      const place = placeOf(row)
      const words = `${name} ${container.image} ${container.id.slice(0, 12)}`
      const key = `container-${hostId}-${container.id}`
      const { status } = container.state
      const act = (what: string, icon: LucideIcon, run: () => void, reason: string | null, command: string) =>
        entry({
          key: `${key}-${what}`,
          group: 'containers',
          words: `${words} ${what}`,
          label: t(`act.${what as 'logs'}`, { name }),
          icon,
          place,
          weight: 0.9,
          reason,
          command,
          run,
        })
      const tab = (kind: 'logs' | 'terminal') => () =>
        dock.open({
          id: kind === 'logs' ? `logs-${hostId}-${container.id}` : `terminal-${Date.now().toString(36)}`,
          kind,
          title: name,
          place: row.hostName,
          params: { hostId, container: container.id, name },
        })
      return [
        entry({
          key,
          group: 'containers',
          words,
          label: name,
          icon: Box,
          place,
          atFirst: index < fewContainers,
          run: go(`${pathOf(hostId, 'containers')}/${container.id}`),
        }),
        act('logs', ScrollText, tab('logs'), allow('view', hostId), `docker logs -f ${name}`),
        ...(status === 'running'
          ? [act('terminal', SquareTerminal, tab('terminal'), allow('shell', hostId), `docker exec -it ${name} sh`)]
          : []),
        ...verbsOf[status].map((verb) =>
          act(verb, verbIcons[verb], () => command(row, verb), allow('operate', hostId), `docker ${verb} ${name}`),
        ),
      ]
    }

    function command({ hostId, item }: Placed<ContainerSummary>, verb: Verb): void {
      agentClient(hostId)
        .containers[verb].mutate({ container: item.id })
        .then(
          () => sayDone(t(`did.${verb}`, { name: item.name })),
          (error: unknown) => sayFailed(t(`failed.${verb}`, { name: item.name }), error),
        )
    }
  }, [t, router, dock.open, allow, scope, hosts, several, here, containers, images, volumes, networks, appearance])
}

/** Theme and language. */
function useAppearanceEntries() {
  const t = useTranslations('shell')
  const router = useRouter()
  const locale = useLocale()
  const { setTheme } = useTheme()
  return useMemo(() => {
    const speak = (next: string) => () => {
      // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
      document.cookie = `${localeCookie}=${next}; path=/; max-age=31536000; samesite=lax`
      router.refresh()
    }
    return [
      ...(['light', 'dark', 'system'] as const).map((theme) => ({
        key: `theme-${theme}`,
        words: `theme ${theme} ${t('theme')}`,
        label: `${t('theme')}: ${t(`themes.${theme}`)}`,
        icon: Contrast,
        run: () => setTheme(theme),
      })),
      locale === 'en'
        ? { key: 'language', words: 'language chinese 中文 语言', label: '切换到简体中文', icon: Languages, run: speak('zh-CN') }
        : { key: 'language', words: 'language english 语言 英文', label: 'Switch to English', icon: Languages, run: speak('en') },
    ]
  }, [t, router, locale, setTheme])
}
