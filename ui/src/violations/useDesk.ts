import { useQueryClient } from '@tanstack/react-query'
import { App } from 'antd'
import { useCallback, useEffect, useRef, useState } from 'react'
import { address, api, Problem } from '../api/client'
import type { Violation } from '../api/types'
import { sentence } from '../parts/problem'
import { type Decided, type Decision, type Desk, decided, EMPTY, filled, held, pace, settled, skipped, undone } from './desk'

export type Queue = 'first' | 'second'
const FEW = 5
const TAKEN = 12
const AHEAD = 3
const UNDO_MS = 15_000
const EMPTY_MS = 5_000

export const pictureOf = (one: Violation, number: number) => address('violations/{violation}/pictures/{number}', { path: { violation: one.id, number } })

/** A desk that is always full, sends what was decided one step later, and has the next pictures at hand. */
export function useDesk(queue: Queue) {
  const [desk, setDesk] = useState<Desk>(EMPTY)
  const [busy, setBusy] = useState(true)
  const [error, setError] = useState<unknown>(null)
  const [moments, setMoments] = useState<number[]>([])
  const now = useRef(desk)
  const taking = useRef(false)
  const queries = useQueryClient()
  const { message } = App.useApp()

  const lay = useCallback((next: Desk) => {
    now.current = next
    setDesk(next)
  }, [])

  const fill = useCallback(async () => {
    if (taking.current) return
    taking.current = true
    try {
      const { items } = await api.post('violations/take', { body: { queue, count: TAKEN, keep: held(now.current) } })
      lay(filled(now.current, items))
      setError(null)
    } catch (problem) {
      setError(problem)
    } finally {
      taking.current = false
      setBusy(false)
    }
  }, [queue, lay])

  const send = useCallback(async (out: Decided | null) => {
    if (!out) return
    const { one, decision } = out
    const to = { path: { violation: one.id }, revision: one.revision }
    try {
      if (decision.verdict === 'void') await api.post('violations/{violation}/void', { ...to, body: { void_reason: decision.reason, reason: decision.words } })
      else if (queue === 'first') await api.post('violations/{violation}/review', { ...to, body: { plate: decision.plate, code: decision.code, reason: '' } })
      else await api.post('violations/{violation}/confirm', { ...to, body: { reason: '' } })
    } catch (problem) {
      // Who was faster has decided it; anything else comes back with the queue.
      if (!(problem instanceof Problem && problem.status === 404)) void message.error(`${one.plate} · ${sentence(problem)}`)
    }
    void queries.invalidateQueries({ queryKey: ['violations', 'list'] })
  }, [queue, queries, message])

  useEffect(() => {
    lay(EMPTY)
    setBusy(true)
    void fill()
    const out = () => {
      const { desk: left, send: last } = settled(now.current)
      now.current = left
      void send(last)
    }
    window.addEventListener('pagehide', out)
    return () => {
      window.removeEventListener('pagehide', out)
      out()
    }
  }, [fill, lay, send])

  // What nobody takes back within some seconds goes out by itself.
  const last = desk.last
  useEffect(() => {
    if (!last) return
    const timer = window.setTimeout(() => {
      const out = settled(now.current)
      lay(out.desk)
      void send(out.send)
    }, UNDO_MS)
    return () => window.clearTimeout(timer)
  }, [last, lay, send])

  const left = desk.waiting.length
  useEffect(() => {
    if (left > 0) return
    const timer = window.setInterval(() => void fill(), EMPTY_MS)
    return () => window.clearInterval(timer)
  }, [left, fill])

  // Held by this effect, so that the browser keeps them until they are shown.
  const next = desk.waiting.slice(1, 1 + AHEAD).map((one) => one.id).join(' ')
  useEffect(() => {
    const images = now.current.waiting.slice(1, 1 + AHEAD).flatMap((one) => one.pictures.map((each) => {
      const image = new Image()
      image.src = pictureOf(one, each.number)
      return image
    }))
    return () => {
      images.length = 0
    }
  }, [next])

  const judge = (decision: Decision) => {
    if (now.current.waiting.length === 0) return
    const { desk: after, send: before } = decided(now.current, decision)
    lay(after)
    setMoments((old) => [...old.slice(-30), Date.now()])
    void send(before).then(() => (after.waiting.length < FEW ? fill() : undefined))
  }
  const undo = () => {
    lay(undone(now.current))
    setMoments((old) => old.slice(0, -1))
  }
  const skip = () => lay(skipped(now.current))
  return { one: desk.waiting[0] ?? null, left, last, busy, error, fill, judge, undo, skip, hourly: pace(moments) }
}
