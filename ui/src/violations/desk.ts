// The order of a review desk: who is next, what was decided last and can still be taken back. Pure.

import type { Body } from '../api/client'
import type { Violation } from '../api/types'

export type VoidReason = Body<'post', 'violations/{violation}/void'>['void_reason']

/** In the order of the keys: 1 to 9, then 0. */
export const REASONS: readonly VoidReason[] = [
  'no_offence', 'plate_unreadable', 'other_vehicle', 'forced', 'emergency', 'signal_fault', 'evidence_poor', 'duplicate', 'appeal', 'other',
]

export type Decision = { verdict: 'pass'; plate: string; code: string } | { verdict: 'void'; reason: VoidReason; words: string }

export interface Decided {
  one: Violation
  decision: Decision
}

/** `last` is decided and not sent yet: until the next decision it can be taken back. */
export interface Desk {
  waiting: Violation[]
  last: Decided | null
}

export const EMPTY: Desk = { waiting: [], last: null }

/** The first review passes one, with the plate and the code where they are not what they were. */
export const passed = (one: Violation, plate: string, code: string): Decision => ({ verdict: 'pass', plate: plate === one.plate ? '' : plate, code: code === one.code ? '' : code })

/** What was typed, as codes of offences are written. */
export const codeOf = (typed: string): string => typed.toUpperCase().replace(/[^0-9A-Z]/g, '').slice(0, 10)

/** More were taken from the queue; what is on the desk already is not laid on it twice. */
export function filled(desk: Desk, more: readonly Violation[]): Desk {
  const here = new Set([...desk.waiting.map((one) => one.id), desk.last?.one.id])
  return { ...desk, waiting: [...desk.waiting, ...more.filter((one) => !here.has(one.id))] }
}

/** The first is decided; what was decided before it is to be sent now. */
export function decided(desk: Desk, decision: Decision): { desk: Desk; send: Decided | null } {
  const [one, ...rest] = desk.waiting
  return one ? { desk: { waiting: rest, last: { one, decision } }, send: desk.last } : { desk, send: null }
}

/** The last decision was not meant: it lies on top again. */
export function undone(desk: Desk): Desk {
  return desk.last ? { waiting: [desk.last.one, ...desk.waiting], last: null } : desk
}

/** Not now: behind all others. */
export function skipped(desk: Desk): Desk {
  const [one, ...rest] = desk.waiting
  return one ? { ...desk, waiting: [...rest, one] } : desk
}

/** Nothing is left to take back: it goes out. */
export function settled(desk: Desk): { desk: Desk; send: Decided | null } {
  return { desk: { ...desk, last: null }, send: desk.last }
}

/** Held at the server for this desk. */
export const held = (desk: Desk): string[] => [...desk.waiting, ...(desk.last ? [desk.last.one] : [])].map((one) => one.id)

/** Judged in an hour, at the pace of the last ones; null before anything can be said. */
export function pace(moments: readonly number[]): number | null {
  const first = moments[0]
  const last = moments[moments.length - 1]
  return moments.length < 3 || first === undefined || last === undefined || last <= first ? null : Math.round(((moments.length - 1) * 3_600_000) / (last - first))
}
