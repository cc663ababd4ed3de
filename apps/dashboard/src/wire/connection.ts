'use client'
import { useEffect, useState } from 'react'
import { dashboardSocket } from './sockets.ts'

/** A reconnection that takes no longer is not worth a word; the first connection of a page may take longer, and what is shown is fresh then. */
const patienceMs = { first: 8_000, again: 1_500 }

/**
 * Since when this page has had no connection to the dashboard, in milliseconds since 1970; null: it has one, or has had none for less than a moment. The dashboard pings
 * every few seconds, so a connection that is dead without a word is found out within ten.
 */
export function useConnectionLost(): number | null {
  const [lost, setLost] = useState<number | null>(null)
  useEffect(() => {
    const socket = dashboardSocket()
    let timer: ReturnType<typeof setTimeout> | undefined
    const connected = (): void => {
      clearTimeout(timer)
      setLost(null)
    }
    const disconnected = (patience = patienceMs.again): void => {
      const at = Date.now()
      clearTimeout(timer)
      timer = setTimeout(() => setLost(at), patience)
    }
    const left = (): void => disconnected()
    socket.on('connect', connected)
    socket.on('disconnect', left)
    if (!socket.connected) disconnected(patienceMs.first)
    return () => {
      clearTimeout(timer)
      socket.off('connect', connected)
      socket.off('disconnect', left)
    }
  }, [])
  return lost
}
