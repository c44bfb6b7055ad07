// Who may steer: one session at a time. A higher priority takes it over, and the one it was taken from is told at once.

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { onPushed } from '../api/events'
import type { PtzLock } from '../api/types'
import { sentence } from '../parts/problem'

export interface LockState {
  mine: boolean
  /** The name of another holder. */
  owner: string | null
  problem: string | null
  /** Whether the answer about it has come at all. */
  known: boolean
  take: () => void
  refetch: () => void
}

/** `seen`: keep track of it; `wanted`: hold it as long as nobody of higher priority wants it. `lost` is called once with the taker. */
export function useLock(channel: string, seen: boolean, wanted: boolean, lost: (owner: string) => void): LockState {
  const queries = useQueryClient()
  const key = ['ptz', channel]
  const [problem, setProblem] = useState<string | null>(null)
  const asked = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api.get('channels/{channel}/ptz/lock', { path: { channel }, signal }),
    refetchInterval: 10_000,
    enabled: seen || wanted,
  })
  const refetch = () => void queries.invalidateQueries({ queryKey: key })
  const take = () => {
    api.put('channels/{channel}/ptz/lock', { path: { channel }, body: {} }).then(
      (lock) => {
        setProblem(null)
        queries.setQueryData(key, lock)
      },
      (error: unknown) => {
        setProblem(sentence(error))
        refetch()
      },
    )
  }
  useEffect(() => {
    if (!seen && !wanted) return
    return onPushed((message) => {
      if (message.type === 'ptz_lock' && message.channel === channel) void queries.invalidateQueries({ queryKey: ['ptz', channel] })
    })
  }, [channel, seen, wanted, queries])
  useEffect(() => {
    if (!wanted) return
    take()
    const timer = window.setInterval(() => {
      if (queries.getQueryData<PtzLock>(key)?.mine) take()
    }, 10_000)
    return () => {
      window.clearInterval(timer)
      if (queries.getQueryData<PtzLock>(key)?.mine) void api.remove('channels/{channel}/ptz/lock', { path: { channel } }).catch(() => undefined).then(refetch)
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [channel, wanted])

  const lock = asked.data
  const mine = wanted && (lock?.mine ?? false)
  const owner = lock && !lock.mine ? (lock.owner_name ?? lock.owner ?? null) : null
  const had = useRef(false)
  const tell = useRef(lost)
  useEffect(() => {
    tell.current = lost
  })
  useEffect(() => {
    if (had.current && wanted && owner) tell.current(owner)
    had.current = mine
  }, [mine, wanted, owner])
  return { mine, owner, problem, known: asked.isFetched || problem !== null, take, refetch }
}
