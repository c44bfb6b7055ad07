// A shift with this phone: its token, the positions that wait for the network, and calls for help. Kept over restarts of
// the page; nothing of it is left once the shift is over.

import type { Body } from '../api/client'
import type { Shift } from '../api/types'
import { Store } from '../parts/store'

type Call = Body<'post', 'phone/sos'>

export interface Fix {
  longitude: number
  latitude: number
  at: number
  speed: number | null
  heading: number | null
}

interface Feature {
  type: 'Feature'
  geometry: { type: 'Point'; coordinates: [number, number] }
  properties: { time: string; speed_kmh?: number; direction?: number }
}

export interface Carried {
  token: string
  name: string
  until: string
  /** Positions that were not sent yet, oldest first. */
  waiting: Feature[]
  calls: Call[]
  /** When the newest call was taken by the platform, ms. */
  called: number
  /** The shift is over here; the platform is to be told. */
  ending: boolean
  /** Why it is over: the platform takes the token no more. */
  lost: boolean
  sentAt: number
}

const NONE: Carried = { token: '', name: '', until: '', waiting: [], calls: [], called: 0, ending: false, lost: false, sentAt: 0 }
/** A day of a position each ten seconds is 8,640; the oldest go first. */
export const MOST = 9_000
const AT_ONCE = 200
const EVERY_MS = 10_000
const EVERY_METRES = 25

export const carried = new Store<Carried>(NONE, 'safecity.phone')

/** Whether positions are taken now. */
export const onDuty = (now: Carried): boolean => now.token !== '' && !now.ending

export function begin(shift: Shift): void {
  carried.set({ ...NONE, token: shift.token, name: shift.name, until: shift.until })
}

/** No position is taken from here on; what was taken before is still sent. */
export function stop(): void {
  carried.set({ ending: true })
  void flush()
}

let last: Fix | null = null

/** One from the phone; those that say nothing new are left out. */
export function take(fix: Fix): void {
  if (!onDuty(carried.get()) || !(Number.isFinite(fix.longitude) && Number.isFinite(fix.latitude))) return
  if (last && fix.at >= last.at && fix.at - last.at < EVERY_MS && metres(last, fix) < EVERY_METRES) return
  last = fix
  const feature: Feature = {
    type: 'Feature', geometry: { type: 'Point', coordinates: [fix.longitude, fix.latitude] },
    properties: {
      time: new Date(fix.at).toISOString(),
      ...(fix.speed !== null && fix.speed >= 0 ? { speed_kmh: Math.round(fix.speed * 36) / 10 } : {}),
      ...(fix.heading !== null && fix.heading >= 0 ? { direction: Math.round(fix.heading) % 360 } : {}),
    },
  }
  carried.set((now) => ({ waiting: [...now.waiting, feature].slice(-MOST) }))
  void flush()
}

/** Help is called as soon as there is a way to anybody; `at`: where, as far as it is known. */
export function call(fix: Fix | null): void {
  const place = fix ? { longitude: fix.longitude, latitude: fix.latitude } : {}
  carried.set((now) => ({ calls: [...now.calls, { key: name(), at: new Date().toISOString(), ...place }], called: 0 }))
  void flush()
}

let sending: Promise<boolean> | null = null

/** Send what waits, calls first; whether all of it is told. What was told and comes again is known there. */
export function flush(): Promise<boolean> {
  sending ??= send().finally(() => {
    sending = null
  })
  return sending
}

async function send(): Promise<boolean> {
  for (;;) {
    const { token, calls, waiting, ending } = carried.get()
    if (!token) return true
    const [help] = calls
    const batch = waiting.slice(0, AT_ONCE)
    let status: number
    if (help) status = await ask(token, 'POST', 'phone/sos', help)
    else if (batch.length > 0) status = await ask(token, 'POST', 'positions', { type: 'FeatureCollection', features: batch })
    else if (ending) status = await ask(token, 'DELETE', 'phone/shift')
    else return true
    if (carried.get().token !== token) continue
    if (status === 401) {
      carried.set({ ...NONE, lost: !ending })
      return true
    }
    // No way, too much at once, or the platform's own trouble: later.
    if (status === 0 || status === 429 || status >= 500) return false
    const taken = status < 300
    if (help) carried.set((now) => ({ calls: now.calls.filter((each) => each.key !== help.key), ...(taken ? { called: Date.now() } : {}) }))
    else if (batch.length > 0) {
      const told = new Set(batch)
      carried.set((now) => ({ waiting: now.waiting.filter((each) => !told.has(each)), ...(taken ? { sentAt: Date.now() } : {}) }))
    } else {
      carried.set(NONE)
      return true
    }
  }
}

/** The status, 0 without an answer. By the phone's own token, never by the session. */
async function ask(token: string, method: string, path: string, body?: unknown): Promise<number> {
  try {
    const answer = await fetch(`/api/v1/${path}`, {
      method, credentials: 'omit', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return answer.status
  } catch {
    return 0
  }
}

function name(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Between two places that are near one another. */
export function metres(one: { longitude: number; latitude: number }, other: { longitude: number; latitude: number }): number {
  const east = (other.longitude - one.longitude) * Math.cos((one.latitude * Math.PI) / 180)
  return Math.hypot(east, other.latitude - one.latitude) * 111_195
}
