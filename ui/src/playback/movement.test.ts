import { describe, expect, it } from 'vitest'
import { added, between, type Find, MIDDLE, nextFind, nothing, nudged, summed } from './movement'

const S = 1e6
const find = (start: number, end: number, strength = 0.1, left = 0.4): Find => ({
  start_us: start * S, end_us: end * S, peak_us: end * S, strength, everywhere: false, precise: false, box: { left, top: 0.4, right: left + 0.1, bottom: 0.6 },
})

describe('pages of finds', () => {
  it('are one list, and a find that filled a page goes on in the next', () => {
    const joined = added([find(0, 2), find(50, 100)], [find(104, 110, 0.5, 0.7), find(300, 302)])
    expect(joined.map((each) => [each.start_us / S, each.end_us / S])).toEqual([[0, 2], [50, 110], [300, 302]])
    expect(joined[1]).toMatchObject({ strength: 0.5, peak_us: 110 * S })
    expect(joined[1]!.box.left).toBeCloseTo(0.4)
    expect(joined[1]!.box.right).toBeCloseTo(0.8)
    expect(added([find(0, 2)], [find(20, 22)])).toHaveLength(2)
    expect(added([], [])).toEqual([])
  })
  it('sum up what was looked at', () => {
    const page = { start_us: 0, end_us: 60 * S, frames: 30, kept: 10, unreadable: 1, step_us: 2 * S, gaps: [{ start_us: 0, end_us: 5 * S, cause: 'camera' }], missing_us: 5 * S, dismissed: 1 }
    expect(summed(summed(nothing(0), page), { ...page, end_us: 120 * S, step_us: S })).toEqual({
      until: 120 * S, frames: 60, kept: 20, unreadable: 2, step: 2 * S, missing: 10 * S, dismissed: 2,
    })
  })
})

describe('rectangles', () => {
  it('are drawn in any direction and stay in the picture', () => {
    expect(between(0.8, 0.9, 0.2, -0.5)).toEqual({ left: 0.2, top: 0, right: 0.8, bottom: 0.9 })
    expect(between(0.5, 0.5, 0.505, 0.9)).toBeNull()
  })
  it('move and grow by key, and never leave it', () => {
    expect(nudged({ left: 0.5, top: 0.5, right: 0.9, bottom: 0.9 }, 1, -1, false)).toEqual({ left: 0.6, top: 0, right: 1, bottom: 0.4 })
    const shrunk = nudged(MIDDLE, -1, -1, true)
    expect(shrunk.right).toBeGreaterThan(shrunk.left)
    expect(shrunk.bottom).toBeGreaterThan(shrunk.top)
  })
})

describe('from find to find', () => {
  const finds = [find(0, 10), find(50, 60), find(90, 100)]
  it('goes to the next and the one before', () => {
    expect(nextFind(finds, 12 * S, 1)).toBe(finds[1])
    expect(nextFind(finds, 60 * S, 1)).toBe(finds[2])
    expect(nextFind(finds, 60 * S, -1)).toBe(finds[0])
    expect(nextFind(finds, 100 * S, 1)).toBeUndefined()
  })
})
