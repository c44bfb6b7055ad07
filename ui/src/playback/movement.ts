// Searching a recording for movement: rectangles in shares of the picture, and pages of finds until nothing is left.

import { api, Problem, type Schemas } from '../api/client'
import { iso } from '../parts/times'
import type { Span } from './span'

export type Region = Schemas['RegionShape']
export type Find = Schemas['MovementOut']
type Page = Schemas['MovementPage']
export type Sensitivity = NonNullable<Schemas['MovementAsk']['sensitivity']>

export const MOST_REGIONS = 8
export const MIDDLE: Region = { left: 0.35, top: 0.35, right: 0.65, bottom: 0.65 }
/** A rest this short within movement is no end of it, as on the server. */
const REST_US = 10e6
const LEAST = 0.02
const AGAIN_MS = 2000
const TRIES = 5
/** The slot began anew, or has too many who ask: it is asked again. */
const PASSING = new Set(['movement_busy', 'duty_gone', 'duty_down', 'duty_slow'])

/** What was looked at so far. */
export interface Looked {
  until: number
  frames: number
  kept: number
  unreadable: number
  step: number
  /** Microseconds without footage. */
  missing: number
  /** Finds of a precise search in which no picture shows movement. */
  dismissed: number
}

export interface Wish {
  channel: string
  span: Span
  regions: Region[]
  sensitivity: Sensitivity
  reason: string
  precise: boolean
}

export const nothing = (at: number): Looked => ({ until: at, frames: 0, kept: 0, unreadable: 0, step: 0, missing: 0, dismissed: 0 })

/** The next page on top of those before it; a find that filled a page goes on in the next one. */
export function added(finds: readonly Find[], page: Find[]): Find[] {
  const last = finds.at(-1)
  const [first, ...others] = page
  if (!last || !first || first.start_us - last.end_us > REST_US) return [...finds, ...page]
  const stronger = first.strength > last.strength ? first : last
  const box = {
    left: Math.min(last.box.left, first.box.left), top: Math.min(last.box.top, first.box.top),
    right: Math.max(last.box.right, first.box.right), bottom: Math.max(last.box.bottom, first.box.bottom),
  }
  return [...finds.slice(0, -1), { ...stronger, start_us: last.start_us, end_us: first.end_us, box }, ...others]
}

export function summed(before: Looked, page: Page['looked_at']): Looked {
  return {
    until: page.end_us,
    frames: before.frames + page.frames,
    kept: before.kept + page.kept,
    unreadable: before.unreadable + page.unreadable,
    step: Math.max(before.step, page.step_us),
    missing: before.missing + page.missing_us,
    dismissed: before.dismissed + page.dismissed,
  }
}

/** Page after page; `told` has all that is known after each. Aborting the signal ends it. */
export async function search(wish: Wish, signal: AbortSignal, told: (finds: Find[], looked: Looked) => void): Promise<void> {
  const { channel, span, regions, sensitivity, reason, precise } = wish
  let finds: Find[] = []
  let looked = nothing(span.start)
  let cursor = ''
  do {
    const body = { start: iso(span.start), end: iso(span.end), regions, sensitivity, reason, precise, cursor }
    const page = await patiently(signal, () => api.post('channels/{channel}/movement', { path: { channel }, body, signal }))
    finds = added(finds, page.items)
    looked = summed(looked, page.looked_at)
    told(finds, looked)
    cursor = page.next ?? ''
  } while (cursor)
}

async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await ask()
    } catch (error) {
      if (tried === TRIES || !(error instanceof Problem) || !PASSING.has(error.code)) throw error
    }
    await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS))
    signal.throwIfAborted()
  }
}

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

/** Two corners as a rectangle within the picture; null where it is too small to be meant. */
export function between(x1: number, y1: number, x2: number, y2: number): Region | null {
  const region = {
    left: within(Math.min(x1, x2), 0, 1), top: within(Math.min(y1, y2), 0, 1),
    right: within(Math.max(x1, x2), 0, 1), bottom: within(Math.max(y1, y2), 0, 1),
  }
  return region.right - region.left < LEAST || region.bottom - region.top < LEAST ? null : region
}

/** Moved, or its lower right corner moved, and never out of the picture. */
export function nudged(region: Region, x: number, y: number, size: boolean): Region {
  if (size) return { ...region, right: within(region.right + x, region.left + LEAST, 1), bottom: within(region.bottom + y, region.top + LEAST, 1) }
  const dx = within(x, -region.left, 1 - region.right)
  const dy = within(y, -region.top, 1 - region.bottom)
  return { left: region.left + dx, top: region.top + dy, right: region.right + dx, bottom: region.bottom + dy }
}

/** The find to go to from `at`, forwards or backwards; at the ends there is none. */
export function nextFind(finds: readonly Find[], at: number, direction: 1 | -1): Find | undefined {
  // Playing shows the picture before the peak for a moment: a find is where one is for some pictures around it.
  return direction > 0 ? finds.find((find) => find.peak_us > at + 5e5) : finds.findLast((find) => find.peak_us < at - 15e5)
}
