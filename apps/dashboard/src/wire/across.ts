'use client'
import type { ContainerSummary } from '@berth/contract/container'
import type { ImageSummary } from '@berth/contract/image'
import type { NetworkSummary } from '@berth/contract/network'
import type { Operation } from '@berth/contract/operation'
import type { VolumeSummary } from '@berth/contract/volume'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useDashboard } from './dashboard.ts'

/** The word for every host at once, where a host's id could stand. */
export const everyHost = 'all'

export interface FleetItem {
  containers: ContainerSummary
  images: ImageSummary
  volumes: VolumeSummary
  networks: NetworkSummary
  operations: Operation
}

/** Where a row of a merged list lives, and whether what it says may be old. */
export interface Placed<T> {
  hostId: string
  hostName: string
  stale: boolean
  item: T
}
/** A host whose part of the list could not be read now. */
export interface Gap {
  /** The host's. */
  id: string
  name: string
  away: boolean
  /** When its rows were true; null: never read. */
  asOf: string | null
  message: string
}
export interface Across<T> {
  rows: readonly Placed<T>[]
  /** Nothing has been answered yet. */
  pending: boolean
  gaps: readonly Gap[]
  error: unknown
  retry: () => void
}

const nothing: never[] = []

/** One list over one host or all of them, live by events. What a host that is away said last stays, marked stale. */
export function useAcross<N extends keyof FleetItem>(scope: string, noun: N): Across<FleetItem[N]> {
  const procedure = useDashboard().fleet[noun] as ReturnType<typeof useDashboard>['fleet']['containers']
  const query = useQuery(procedure.queryOptions(scope === everyHost ? {} : { host: scope }, { placeholderData: keepPreviousData }))
  const { data } = query
  const rows = useMemo(() => {
    const known = data?.hosts.filter((host) => scope === everyHost || host.host === scope) ?? nothing
    const stale = new Set(known.filter((host) => host.state !== 'online' || host.error !== null).map((host) => host.host))
    const here = new Set(known.map((host) => host.host))
    return (data?.items ?? nothing)
      .filter((item) => here.has(item.host))
      .map((item) => ({ hostId: item.host, hostName: item.hostName, stale: stale.has(item.host), item: item as unknown as FleetItem[N] }))
  }, [data, scope])
  const gaps = useMemo(
    () =>
      (data?.hosts ?? nothing)
        .filter((host) => host.error !== null && (scope === everyHost || host.host === scope))
        .map(
          (host): Gap => ({ id: host.host, name: host.name, away: host.state !== 'online', asOf: host.asOf, message: host.error ?? '' }),
        ),
    [data, scope],
  )
  return { rows, pending: query.isPending, gaps, error: query.error, retry: () => void query.refetch() }
}
