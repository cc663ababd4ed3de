'use client'
import type { EngineEvent } from '@berth/contract/event'
import type { Operation } from '@berth/contract/operation'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { type EventHandlers, openEventStream } from './event-stream.ts'
import type { WireFailure } from './failure.ts'
import type { HostState } from './host-channel.ts'
import { type LogHandlers, type LogStreamInput, openLogStream } from './log-stream.ts'
import { mergeProgress, openOperationStream } from './operation-stream.ts'
import { holdHostChannel } from './sockets.ts'
import { openStatsStream, type StatsInput, type StatsItems } from './stats-stream.ts'

/** The newest handlers without opening the stream again when a component renders. */
function useNewest<T>(value: T): { readonly current: T } {
  const ref = useRef(value)
  useEffect(() => {
    ref.current = value
  })
  return ref
}

/** The host's events while mounted. `hostId` null: none. */
export function useEvents(hostId: string | null, filter: { types?: EngineEvent['type'][] }, handlers: EventHandlers): void {
  const newest = useNewest(handlers)
  const types = filter.types?.join(',')
  useEffect(() => {
    if (!hostId) return undefined
    return openEventStream(hostId, types ? { types: types.split(',') as EngineEvent['type'][] } : {}, {
      items: (events) => newest.current.items(events),
      reset: () => newest.current.reset(),
      refused: (error) => newest.current.refused?.(error),
    })
  }, [hostId, types, newest])
}

export type StreamState = 'connecting' | 'live' | 'lost' | 'ended' | 'refused'

/** Follows a container's log while mounted; opens again when `input` changes in value. `input` null: none. */
export function useLogs(
  hostId: string,
  input: LogStreamInput | null,
  handlers: LogHandlers,
): { state: StreamState; failure: WireFailure | null } {
  const newest = useNewest(handlers)
  const [state, setState] = useState<StreamState>('connecting')
  const [failure, setFailure] = useState<WireFailure | null>(null)
  const wish = input === null ? null : JSON.stringify(input)
  useEffect(() => {
    if (wish === null) return undefined
    setState('connecting')
    setFailure(null)
    return openLogStream(hostId, JSON.parse(wish) as LogStreamInput, {
      records: (records) => newest.current.records(records),
      opened: (range) => {
        setState('live')
        newest.current.opened?.(range)
      },
      lost: () => {
        setState('lost')
        newest.current.lost?.()
      },
      ended: (reason, message) => {
        setState('ended')
        newest.current.ended?.(reason, message)
      },
      refused: (error) => {
        setState('refused')
        setFailure(error)
        newest.current.refused?.(error)
      },
    })
  }, [hostId, wish, newest])
  return { state, failure }
}

/** Calls `onItems` once per second while mounted, outside React's state: draw with it. `input` null: none. */
export function useStats(
  hostId: string | null,
  input: StatsInput | null,
  onItems: (items: StatsItems) => void,
): { failure: WireFailure | null } {
  const newest = useNewest(onItems)
  const [failure, setFailure] = useState<WireFailure | null>(null)
  const wish = input === null ? null : JSON.stringify(input)
  useEffect(() => {
    if (hostId === null || wish === null) return undefined
    setFailure(null)
    return openStatsStream(hostId, JSON.parse(wish) as StatsInput, { items: (items) => newest.current(items), refused: setFailure })
  }, [hostId, wish, newest])
  return { failure }
}

/** One long work with its progress, live. `id` null: none. */
export function useOperation(hostId: string, id: string | null): { operation: Operation | null; failure: WireFailure | null } {
  const [operation, setOperation] = useState<Operation | null>(null)
  const [failure, setFailure] = useState<WireFailure | null>(null)
  useEffect(() => {
    setOperation(null)
    setFailure(null)
    if (id === null) return undefined
    return openOperationStream(hostId, id, {
      operation: setOperation,
      progress: (lines) => setOperation((known) => known && { ...known, progress: mergeProgress(known.progress, lines) }),
      refused: setFailure,
    })
  }, [hostId, id])
  return { operation, failure }
}

/** What is known of the link to a host, live. */
export function useHostState(hostId: string): HostState {
  const [store] = useState(() => hostStateStore(hostId))
  return useSyncExternalStore(store.subscribe, store.read, store.readOnServer)
}

function hostStateStore(hostId: string) {
  const unknown: HostState = { state: 'connecting', since: '', lastSeenAt: null, message: '' }
  let state: HostState = unknown
  return {
    subscribe: (changed: () => void): (() => void) => {
      const { channel, release } = holdHostChannel(hostId)
      state = channel.state
      const stop = channel.onState((now) => {
        state = now
        changed()
      })
      changed()
      return () => {
        stop()
        release()
      }
    },
    read: (): HostState => state,
    readOnServer: (): HostState => unknown,
  }
}
