import { describe, expect, it } from 'vitest'
import { drawing, longer } from './spark'

const bucket = 300_000_000
const point = (number: number, value: number) => ({ at: number * bucket, value, low: value / 2, high: value * 2 })

describe('the drawing of a day', () => {
  it('is broken where nobody arrived', () => {
    const { line, most } = drawing([point(0, 100), point(1, 100), point(8, 100), point(9, 100)], 0, 10 * bucket, 100, 21)
    expect(most).toBe(210)
    expect(line).toBe('M0.0 11.0L10.0 11.0M80.0 11.0L90.0 11.0')
  })

  it('shows five minutes that stand alone as a short stroke, and an empty day as nothing', () => {
    expect(drawing([point(5, 100)], 0, 10 * bucket, 100, 21).line).toBe('M50.0 11.0L60.0 11.0')
    expect(drawing([], 0, bucket, 100, 20)).toEqual({ line: '', band: '', most: 1.05 })
  })

  it('tells how much longer than usual it takes', () => {
    expect([longer(150, 100), longer(80, 100)]).toEqual([50, -20])
  })
})
