// A journey in time: where a vehicle was at a moment, as far as anybody knows.

import type { DrivenWay } from '../api/types'
import { toUs } from '../parts/times'
import type { Box, Point } from '../traffic/view'

export interface Moment {
  place: Point
  direction: number | null
  speed: number | null
  /** Between two positions of which nothing is known. */
  unknown: boolean
}

export interface Journey {
  id: string
  name: string
  /** Microseconds UTC, growing. */
  times: number[]
  way: DrivenWay
}

export function journeyOf(way: DrivenWay): Journey {
  return { id: way.device, name: way.name, times: way.steps.map((step) => toUs(step.at)), way }
}

/** The last step at or before a moment, -1 before the first. */
export function stepAt(times: number[], at: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Between two positions it is drawn on the line from one to the other, over a gap where it was heard last. */
export function momentOf(journey: Journey, at: number): Moment | null {
  const index = stepAt(journey.times, at)
  const here = journey.way.steps[index]
  if (!here) return null
  const next = journey.way.steps[index + 1]
  const found = { direction: here.direction, speed: here.speed_kmh }
  if (!next || next.gap) return { ...found, place: [here.longitude, here.latitude], unknown: Boolean(next) && at > journey.times[index]! }
  const [from, to] = [journey.times[index]!, journey.times[index + 1]!]
  const share = to > from ? (at - from) / (to - from) : 0
  return {
    ...found, unknown: false,
    place: [here.longitude + share * (next.longitude - here.longitude), here.latitude + share * (next.latitude - here.latitude)],
  }
}

/** First and last moment of several, null where none told anything. */
export function spanOf(journeys: Journey[]): { start: number; end: number } | null {
  const told = journeys.filter((each) => each.times.length > 0)
  if (told.length === 0) return null
  return { start: Math.min(...told.map((each) => each.times[0]!)), end: Math.max(...told.map((each) => each.times.at(-1)!)) }
}

/** The box that holds all places, with a little room around a single one. */
export function boxOf(places: Point[]): Box | null {
  if (places.length === 0) return null
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const [longitude, latitude] of places) {
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
  }
  const room = Math.max(0.002, (east - west) * 0.08, (north - south) * 0.08)
  return { west: west - room, south: south - room, east: east + room, north: north + room }
}
