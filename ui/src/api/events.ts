// The event WebSocket: what changed goes straight into the query cache, so lists do not poll.

import type { QueryClient } from '@tanstack/react-query'
import type { Pushed } from './types'

type Listener = (message: Pushed) => void

const listeners = new Set<Listener>()
const stateListeners = new Set<() => void>()
let connected = true

export function onPushed(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const connection = {
  get: () => connected,
  subscribe: (listener: () => void) => {
    stateListeners.add(listener)
    return () => {
      stateListeners.delete(listener)
    }
  },
}

function setConnected(value: boolean): void {
  if (connected === value) return
  connected = value
  for (const listener of [...stateListeners]) listener()
}

/** Keep one connection for the signed-in page; answers how to end it. */
export function listen(queries: QueryClient): () => void {
  let socket: WebSocket | null = null
  let timer: number | undefined
  let failures = 0
  let ended = false

  const open = () => {
    const base = location.origin.replace(/^http/, 'ws')
    socket = new WebSocket(`${base}/api/v1/events`, 'safecity.v1')
    socket.onopen = () => {
      if (failures > 0) void queries.invalidateQueries()
      failures = 0
      setConnected(true)
    }
    socket.onmessage = (event: MessageEvent<string>) => {
      try {
        take(JSON.parse(event.data) as Pushed, queries)
      } catch {
        // a message of a newer server
      }
    }
    socket.onclose = (event) => {
      if (ended) return
      // 4401: the session ended elsewhere; asking who we are shows the sign-in page.
      if (event.code === 4401) void queries.invalidateQueries({ queryKey: ['session'] })
      failures += 1
      if (failures > 2) setConnected(false)
      timer = window.setTimeout(open, Math.min(15_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2))
    }
  }
  open()
  return () => {
    ended = true
    window.clearTimeout(timer)
    socket?.close()
  }
}

function take(message: Pushed, queries: QueryClient): void {
  for (const listener of [...listeners]) listener(message)
  if (message.type === 'channel') soon(queries, 'tree', 'channels')
  else if (message.type === 'reset') void queries.invalidateQueries()
  else if (message.type === 'ptz_lock') soon(queries, 'ptz')
  else if (message.type === 'event') {
    const { kind } = message.event
    if (kind.includes('alarm')) soon(queries, 'alarms')
    if (kind === 'tollgate.changed') soon(queries, 'tollgates')
    if (kind === 'watch.changed') soon(queries, 'watches', 'hits')
    if (kind.startsWith('sign.')) soon(queries, 'signs')
    if (kind === 'violation.changed') soon(queries, 'violations')
    if (kind === 'case.changed') soon(queries, 'cases')
    if (kind === 'subscription.changed') soon(queries, 'subscriptions')
    if (kind.includes('device') || kind.includes('channel')) soon(queries, 'tree', 'devices', 'channels')
    if (kind.includes('export')) soon(queries, 'exports')
  }
}

// The first change is shown at once; a storm of them must not become a storm of requests: each list is asked again at
// most once a second.
const waiting = new Set<string>()
const again = new Set<string>()

function soon(queries: QueryClient, ...keys: string[]): void {
  for (const key of keys) {
    if (waiting.has(key)) {
      again.add(key)
      continue
    }
    waiting.add(key)
    void queries.invalidateQueries({ queryKey: [key] })
    window.setTimeout(() => {
      waiting.delete(key)
      if (again.delete(key)) soon(queries, key)
    }, 1000)
  }
}
