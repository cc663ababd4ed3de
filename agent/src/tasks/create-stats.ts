import { cpus } from 'node:os'
import type { HostPoint, StatsPoint, StatsSample } from '@berth/contract/stats'
import { EngineError, messageOf } from '../errors.ts'
import type { Events } from '../events/events.ts'
import type { Logger } from '../log.ts'
import { CgroupSampler, type Reading } from './cgroup-sampler.ts'
import { HostSampler } from './host-sampler.ts'
import { historyStepMs, StatsHistory } from './stats-history.ts'
import type { Stats } from './tasks.ts'

/** Who runs; given by containers/ when the engine is wired. */
export interface StatsSource {
  running(): Iterable<{ id: string; pid: number; cgroup: string; ownNetwork: boolean }>
}

type Listener = Parameters<Stats['subscribe']>[1]
type Selection = Parameters<Stats['subscribe']>[0]
type Item = Parameters<Listener>[0]['containers'][number]

interface Tracked {
  sampler: CgroupSampler
  pid: number
  last: Reading | null
  lastSample: StatsSample | null
  history: StatsHistory
  /** Counters at the last point of the history. */
  historyReading: Counters | null
}

const watchedMs = 1000
const onlineCpus = cpus().length
const containerColumns = ['cpuPercent', 'throttledPercent', 'memoryBytes', 'pids', 'rxBps', 'txBps', 'readBps', 'writeBps'] as const
const hostColumns = [
  'cpuPercent',
  'load1',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'swapUsedBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'rxBps',
  'txBps',
] as const

export interface StatsSampler extends Stats {
  /** Begins to keep the hour. */
  open(): void
  close(): void
}

/**
 * One sampler for everybody: each second while somebody looks, each five seconds else, so that the last hour is there when somebody comes. What a container's
 * files cost is paid once, however many look.
 */
export function createStats(options: {
  source: StatsSource
  events: Events
  log: Logger
  cgroupVersion: '1' | '2'
  dataRoot: string
  instance: string
}): StatsSampler {
  const { source, events, log, cgroupVersion } = options
  const tracked = new Map<string, Tracked>()
  const listeners = new Map<Listener, Selection>()
  const host = new HostSampler(options.dataRoot, options.instance)
  const hostHistory = new StatsHistory(hostColumns.length)
  let hostPoint: HostPoint | null = null
  let timer: NodeJS.Timeout | null = null
  let period = historyStepMs
  let lastHistoryStep = 0

  const track = (container: { id: string; pid: number; cgroup: string; ownNetwork: boolean }): Tracked => {
    const known = tracked.get(container.id)
    if (known?.pid === container.pid) return known
    known?.sampler.close()
    const fresh: Tracked = {
      sampler: new CgroupSampler(cgroupVersion, container),
      pid: container.pid,
      last: null,
      lastSample: null,
      // The hour of a container goes on when it is started again.
      history: known?.history ?? new StatsHistory(containerColumns.length),
      historyReading: null,
    }
    tracked.set(container.id, fresh)
    return fresh
  }

  const tick = () => {
    try {
      sampleAll()
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'a round of statistics failed')
    }
  }

  const sampleAll = () => {
    const atMs = Date.now()
    const step = Math.floor(atMs / historyStepMs)
    const forHistory = step !== lastHistoryStep
    lastHistoryStep = step
    const wanted = wantedIds(listeners.values())
    const hostNs = host.processorNs()
    const items = new Map<string, Item>()
    for (const container of source.running()) {
      const looked = wanted === 'all' || wanted.has(container.id)
      if (!looked && !forHistory) continue
      const entry = track(container)
      const reading = entry.sampler.read(atMs)
      if (looked) {
        const sample = sampleOf(entry.sampler.complete(reading), entry.last, hostNs)
        items.set(container.id, { id: container.id, point: pointOf(reading, entry.last), sample })
        entry.lastSample = sample
        entry.last = reading
      }
      if (forHistory) {
        const point = pointOf(reading, entry.historyReading)
        if (entry.historyReading)
          entry.history.add(
            atMs,
            containerColumns.map((column) => point[column] ?? 0),
          )
        entry.historyReading = countersOf(reading)
      }
    }
    if (forHistory || [...listeners.values()].some((selection) => selection.host)) {
      hostPoint = host.read(atMs)
      const point = hostPoint
      if (forHistory)
        hostHistory.add(
          atMs,
          hostColumns.map((column) => point[column]),
        )
    }
    for (const [listener, selection] of listeners) {
      const containers = selection.containers === 'all' ? [...items.values()] : selection.containers.flatMap((id) => items.get(id) ?? [])
      try {
        listener({ containers, host: selection.host ? hostPoint : null })
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'a listener of statistics failed')
      }
    }
  }

  const setPeriod = () => {
    const wanted = listeners.size > 0 ? watchedMs : historyStepMs
    if (timer && wanted === period) return
    period = wanted
    if (timer) clearInterval(timer)
    timer = setInterval(tick, period)
    timer.unref()
  }

  /** A full sample is some KB a container: nothing to keep for hours when the last viewer has gone. */
  const forgetSamples = () => {
    for (const entry of tracked.values()) {
      entry.last = null
      entry.lastSample = null
    }
  }

  // At once, not at the next round: open files of a cgroup that is gone are of no use, and the hour of a removed container is nobody's.
  const leaveEvents = events.subscribe((event) => {
    if (event.type !== 'container') return
    if (event.action === 'die') tracked.get(event.actorId)?.sampler.close()
    if (event.action === 'destroy') {
      tracked.get(event.actorId)?.sampler.close()
      tracked.delete(event.actorId)
    }
  })

  return {
    open: setPeriod,
    close() {
      leaveEvents()
      if (timer) clearInterval(timer)
      timer = null
      for (const { sampler } of tracked.values()) sampler.close()
      tracked.clear()
      host.close()
    },
    async sample(containerId) {
      const container = [...source.running()].find(({ id }) => id === containerId)
      if (!container) throw new EngineError('failed_precondition', `Container ${containerId} is not running`)
      const entry = track(container)
      const recent = entry.last && performance.now() - entry.last.steadyMs < 2 * watchedMs ? entry.lastSample : null
      if (recent) {
        const reading = entry.sampler.complete(entry.sampler.read(Date.now()))
        return { previous: recent, sample: sampleOf(reading, entry.last, host.processorNs()) }
      }
      const first = entry.sampler.complete(entry.sampler.read(Date.now()))
      const previous = sampleOf(first, null, host.processorNs())
      await new Promise((resolve) => setTimeout(resolve, 100))
      const second = entry.sampler.complete(entry.sampler.read(Date.now()))
      return { previous, sample: sampleOf(second, first, host.processorNs()) }
    },
    subscribe(selection, listener) {
      // One object may subscribe twice with the same function: each is its own subscription.
      const own: Listener = (items) => listener(items)
      listeners.set(own, selection)
      setPeriod()
      // The first answer at once: rates come with the next.
      setImmediate(() => listeners.has(own) && tick())
      return () => {
        listeners.delete(own)
        if (listeners.size === 0) forgetSamples()
        if (timer) setPeriod()
      }
    },
    history(containerId) {
      const entry = tracked.get(containerId)
      // The limit of the newest reading stands for the hour: it hardly ever changes.
      const memoryLimitBytes = entry?.historyReading?.limitBytes ?? null
      return (entry?.history.rows() ?? []).map(({ at, values }) => {
        const point = Object.fromEntries(containerColumns.map((column, index) => [column, values[index] ?? 0])) as unknown as StatsPoint
        return { ...point, at, memoryLimitBytes }
      })
    },
    hostHistory: () =>
      hostHistory.rows().map(({ at, values }) => ({
        ...(Object.fromEntries(hostColumns.map((column, index) => [column, values[index] ?? 0])) as unknown as HostPoint),
        at,
      })),
  }
}

function wantedIds(selections: Iterable<Selection>): 'all' | Set<string> {
  const ids = new Set<string>()
  for (const { containers } of selections) {
    if (containers === 'all') return 'all'
    for (const id of containers) ids.add(id)
  }
  return ids
}

/** What rates are made of, without the detail that would cost memory for each container. */
type Counters = Omit<Reading, 'full' | 'detail'>

function countersOf({ full: _full, detail: _detail, ...counters }: Reading): Counters {
  return counters
}

function pointOf(reading: Reading, last: Counters | null): StatsPoint {
  const seconds = last ? Math.max(0.001, (reading.steadyMs - last.steadyMs) / 1000) : 1
  const rate = (now: number, before: number | undefined) => (before === undefined ? 0 : Math.max(0, now - before) / seconds)
  const periods = last ? reading.periods - last.periods : 0
  return {
    at: reading.atMs,
    cpuPercent: rate(reading.cpuNs, last?.cpuNs) / 1e7,
    throttledPercent: last && periods > 0 ? (100 * (reading.throttledPeriods - last.throttledPeriods)) / periods : 0,
    memoryBytes: reading.workingBytes,
    memoryLimitBytes: reading.limitBytes,
    pids: reading.pids,
    rxBps: rate(reading.rxBytes, last?.rxBytes),
    txBps: rate(reading.txBytes, last?.txBytes),
    readBps: rate(reading.readBytes, last?.readBytes),
    writeBps: rate(reading.writeBytes, last?.writeBytes),
  }
}

function sampleOf(reading: Reading, last: Reading | null, hostNs: number): StatsSample {
  const { cpu, ...full } = reading.full
  const elapsedNs = last ? (reading.steadyMs - last.steadyMs) * 1e6 : 0
  return {
    ...full,
    at: new Date(reading.atMs).toISOString(),
    cpu: {
      ...cpu,
      totalNs: reading.cpuNs,
      percent: last && elapsedNs > 0 ? Math.max(0, (100 * (reading.cpuNs - last.cpuNs)) / elapsedNs) : null,
      periods: reading.periods,
      throttledPeriods: reading.throttledPeriods,
      throttledNs: reading.throttledNs,
      hostNs,
      onlineCpus,
    },
  }
}
