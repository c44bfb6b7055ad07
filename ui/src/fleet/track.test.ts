import { describe, expect, it } from 'vitest'
import type { DrivenWay } from '../api/types'
import { boxOf, journeyOf, momentOf, spanOf, stepAt } from './track'

const step = (second: number, longitude: number, gap = false) => ({
  at: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`, longitude, latitude: 31, speed_kmh: longitude, direction: 90, late: false, gap,
})
const way: DrivenWay = { device: 'dv_1', name: 'A', steps: [step(0, 10), step(10, 20), step(40, 50, true), step(50, 60)], stands: [], metres: 0, gaps: 1, more: false }
const journey = journeyOf(way)
const start = Date.UTC(2026, 0, 1) * 1000
const at = (seconds: number) => momentOf(journey, start + seconds * 1e6)

describe('a journey', () => {
  it('is between two positions where it was between them', () => {
    expect(at(5)?.place[0]).toBe(15)
    expect(at(10)?.place[0]).toBe(20)
    expect(at(99)?.place[0]).toBe(60)
  })

  it('is not invented over a gap, nor before it began', () => {
    expect(at(25)).toMatchObject({ place: [20, 31], unknown: true })
    expect(at(40)).toMatchObject({ place: [50, 31], unknown: false })
    expect(at(-1)).toBeNull()
  })

  it('is found by its time', () => {
    expect([-1, 0, 9, 10, 49, 50, 99].map((second) => stepAt(journey.times, start + second * 1e6))).toEqual([-1, 0, 0, 1, 2, 3, 3])
    expect(spanOf([journey, journeyOf({ ...way, steps: [] })])).toEqual({ start, end: start + 50e6 })
    expect(spanOf([])).toBeNull()
  })

  it('fits into its box', () => {
    const box = boxOf([[10, 31], [60, 31]])
    expect(box && box.west < 10 && box.east > 60 && box.south < 31 && box.north > 31).toBe(true)
    expect(boxOf([])).toBeNull()
  })
})
