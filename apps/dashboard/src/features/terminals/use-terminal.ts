'use client'
import { useEffect, useRef, useState } from 'react'
import type { Screen } from '../../ui/terminal-screen'
import { failureOf } from '../../wire/failure'
import { openTerminalStream, type TerminalInput, type TerminalStream } from '../../wire/terminal-stream'

export type TerminalStatus =
  | { kind: 'opening' }
  | { kind: 'live'; writable: boolean }
  | { kind: 'lost' }
  | { kind: 'exited'; exitCode: number; signal: number | null; oomKilled: boolean }
  | { kind: 'ended'; message: string }

/**
 * Joins a session and draws it on `screen`. The session lives at the host: leaving the page leaves it running, coming back replays it. Keys typed while
 * the connection is away are refused, never sent later.
 */
export function useTerminal(hostId: string, target: TerminalInput['target'] | null, screen: Screen | null) {
  const [status, setStatus] = useState<TerminalStatus>({ kind: 'opening' })
  const stream = useRef<TerminalStream | null>(null)
  const wish = target && JSON.stringify(target)
  useEffect(() => {
    if (!wish || !screen) return
    setStatus({ kind: 'opening' })
    const opened = openTerminalStream(
      hostId,
      { target: JSON.parse(wish) as TerminalInput['target'], cols: screen.cols, rows: screen.rows },
      {
        opened: ({ writable }) => {
          screen.reset()
          setStatus({ kind: 'live', writable })
        },
        replay: (bytes) => screen.write(bytes, true),
        replayed: () => opened.resize(screen.cols, screen.rows),
        output: (bytes) => screen.write(bytes),
        exited: (exit) => setStatus({ kind: 'exited', ...exit }),
        lost: () => setStatus({ kind: 'lost' }),
        ended: (reason, message) =>
          setStatus((before) => (before.kind === 'exited' ? before : { kind: 'ended', message: message || reason })),
        refused: (error) => setStatus({ kind: 'ended', message: failureOf(error).message }),
      },
    )
    stream.current = opened
    return () => {
      stream.current = null
      opened.close()
    }
  }, [hostId, wish, screen])
  return {
    status,
    type: (bytes: Uint8Array) => {
      // A refusal is on screen already: the status line says that the connection is away or that the process has ended.
      void stream.current?.write(bytes).catch(() => {})
    },
    resize: (cols: number, rows: number) => stream.current?.resize(cols, rows),
  }
}
