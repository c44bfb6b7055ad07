// Days that are another kind than their day of the week says: reading lists of them, and the year that they lie in. Dates are
// written `2026-10-01` and have no zone.

import { dayWords } from '../words/days'

export type DayKind = 'working' | 'saturday' | 'sunday'
export type Days = Record<string, DayKind>

export const DAY_KINDS = ['working', 'saturday', 'sunday'] as const
const DATE = /\d{4}-\d{2}-\d{2}/g
const MOST_DAYS = 400
const NOBODY_WORKS = /\b(non|not)[ -]?work|[非不](工作|上班)/

export interface ReadDays {
  days: Days
  /** Numbers of lines that say nothing, from 1. */
  unread: number[]
}

/** One line for a day or for days in a row: `2026-10-01 2026-10-07 sunday`, with any sign between, and either language. */
export function readDays(text: string): ReadDays {
  const days: Days = {}
  const unread: number[] = []
  text.split(/\r?\n/).forEach((line, number) => {
    if (!line.trim()) return
    const dates = line.match(DATE) ?? []
    const kind = kindOf(line.replace(DATE, ''))
    const [first, last = first] = dates
    const row = first && last && kind ? between(first, last) : []
    if (dates.length > 2 || row.length === 0 || !kind) unread.push(number + 1)
    else for (const day of row) days[day] = kind
  })
  return { days, unread }
}

function kindOf(text: string): DayKind | undefined {
  const said = text.toLowerCase()
  if (NOBODY_WORKS.test(said)) return 'sunday'
  return DAY_KINDS.find((kind) => dayWords[kind].some((word) => said.includes(word)))
}

function between(first: string, last: string): string[] {
  const days: string[] = []
  for (let day = first; isDay(day) && isDay(last) && day <= last && days.length < MOST_DAYS; day = shifted(day, 1)) days.push(day)
  return days[days.length - 1] === last ? days : []
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function shifted(day: string, by: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10)
}

/** What a day is by itself. */
export function usualKind(day: string): DayKind {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay()
  return weekday === 0 ? 'sunday' : weekday === 6 ? 'saturday' : 'working'
}

/** A click on a day: a working day becomes a holiday, one at the weekend is worked; a second click takes that back. */
export function toggled(days: Days, day: string): Days {
  const { [day]: named, ...others } = days
  return named ? others : { ...days, [day]: usualKind(day) === 'working' ? 'sunday' : 'working' }
}

/** Twelve months of weeks that begin on Monday; null where a week begins or ends in another month. */
export function monthsOf(year: number): (string | null)[][] {
  return Array.from({ length: 12 }, (_, month) => {
    const days = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    const before = (new Date(Date.UTC(year, month, 1)).getUTCDay() + 6) % 7
    const written = Array.from({ length: days }, (_, at) => `${year}-${two(month + 1)}-${two(at + 1)}`)
    return [...Array.from({ length: before }, () => null), ...written]
  })
}

/** Where a key leads from a day, within its year: to the days and weeks beside it, to the ends of its month, to other months. Null: it leads nowhere. */
export function steppedTo(day: string, key: string): string | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }
  const [year = 0, month = 0, at = 0] = day.split('-').map(Number)
  const inMonth = (other: number, wanted: number) => `${year}-${two(other)}-${two(Math.min(wanted, new Date(Date.UTC(year, other, 0)).getUTCDate()))}`
  const step = steps[key]
  if (step !== undefined) {
    const next = shifted(day, step)
    return next.startsWith(`${year}-`) ? next : null
  }
  if (key === 'Home') return inMonth(month, 1)
  if (key === 'End') return inMonth(month, 31)
  if (key === 'PageUp') return month > 1 ? inMonth(month - 1, at) : null
  if (key === 'PageDown') return month < 12 ? inMonth(month + 1, at) : null
  return null
}

const two = (number: number): string => String(number).padStart(2, '0')
