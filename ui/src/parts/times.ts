// Times as people read them: local zone, the zone on hover, ages where ages matter.

import { language, t } from '../words'

let zone: string | undefined

/** The zone of the signed-in user; without one, the browser's. */
export function setZone(name: string | undefined): void {
  try {
    if (name) new Intl.DateTimeFormat('en', { timeZone: name })
    zone = name || undefined
  } catch {
    zone = undefined
  }
  formats.clear()
}

export function zoneName(): string {
  return zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const name = `${language()} ${key}`
  let found = formats.get(name)
  if (!found) {
    found = new Intl.DateTimeFormat('sv-SE', { hourCycle: 'h23', ...options, ...(zone ? { timeZone: zone } : {}) })
    formats.set(name, found)
  }
  return found
}

export type Moment = number | string | Date

/** A number is microseconds UTC, a string RFC 3339. */
export function toDate(moment: Moment): Date {
  if (typeof moment === 'number') return new Date(moment / 1000)
  return typeof moment === 'string' ? new Date(moment) : moment
}

export function toUs(moment: Moment): number {
  return typeof moment === 'number' ? moment : toDate(moment).getTime() * 1000
}

export const iso = (us: number): string => new Date(us / 1000).toISOString()

/** 14:03:27 */
export function clock(moment: Moment): string {
  return format('clock', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(toDate(moment))
}

/** 14:03 */
export function shortClock(moment: Moment): string {
  return format('short', { hour: '2-digit', minute: '2-digit' }).format(toDate(moment))
}

/** 2026-11-21 */
export function day(moment: Moment): string {
  return format('day', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(toDate(moment))
}

/** 2026-11-21 14:03:27 */
export function stamp(moment: Moment): string {
  return `${day(moment)} ${clock(moment)}`
}

/** 4 s, 12 min, 3 h, 5 d */
export function span(seconds: number): string {
  if (seconds < 100) return t('unit.seconds', { n: Math.max(0, Math.round(seconds)) })
  if (seconds < 100 * 60) return t('unit.minutes', { n: Math.round(seconds / 60) })
  if (seconds < 48 * 3600) return t('unit.hours', { n: Math.round(seconds / 3600) })
  return t('unit.days', { n: Math.round(seconds / 86400) })
}

export function ago(moment: Moment, now = Date.now()): string {
  const seconds = (now - toDate(moment).getTime()) / 1000
  return seconds < 1 ? t('age.now') : t('age.ago', { age: span(seconds) })
}

/** Minutes east of UTC at `moment` in the shown zone. */
export function offsetMinutes(moment: Moment): number {
  const date = toDate(moment)
  const parts = format('parts', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).formatToParts(date)
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value ?? 0)
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'))
  return Math.round((local - Math.floor(date.getTime() / 1000) * 1000) / 60000)
}

/** What an input of the kind `datetime-local` holds at `moment`, in the shown zone. */
export function local(moment: Moment): string {
  return iso(toUs(moment) + offsetMinutes(moment) * 60e6).slice(0, 16)
}

/** Start of the local day that holds `moment`, microseconds UTC. */
export function dayStart(moment: Moment): number {
  const ms = toDate(moment).getTime()
  const shift = offsetMinutes(moment) * 60000
  return (Math.floor((ms + shift) / 86400000) * 86400000 - shift) * 1000
}
