import { describe, expect, it } from 'vitest'
import { asked, fitted, moved, placed, read, shown, written, zoomed } from './view'

const size = { width: 800, height: 600 }
const town = { west: 118.35, south: 31.32, east: 118.41, north: 31.36 }

describe('the map', () => {
  it('shows all of a town, and finds every pixel again', () => {
    const view = fitted(town, size)
    for (const corner of [[town.west, town.south], [town.east, town.north]] as const) {
      const [x, y] = shown(view, size, corner)
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(size.width)
      expect(y).toBeGreaterThanOrEqual(0)
      expect(y).toBeLessThanOrEqual(size.height)
      const back = placed(view, size, x, y)
      expect(back[0]).toBeCloseTo(corner[0], 9)
      expect(back[1]).toBeCloseTo(corner[1], 9)
    }
  })

  it('keeps what lies under the pointer while it comes nearer, and follows the hand', () => {
    const view = fitted(town, size)
    const held = placed(view, size, 100, 500)
    const near = zoomed(view, size, 0.5, 100, 500)
    const [x, y] = shown(near, size, held)
    expect(x).toBeCloseTo(100, 1)
    expect(y).toBeCloseTo(500, 1)
    const dragged = moved(view, 30, -20)
    const [atX, atY] = shown(dragged, size, [view.longitude, view.latitude])
    expect(atX).toBeCloseTo(430, 1)
    expect(atY).toBeCloseTo(280, 1)
  })

  it('asks for the same box after a small move, and always for what is seen', () => {
    const view = fitted(town, size)
    const box = asked(view, size)
    expect(box.west).toBeLessThanOrEqual(placed(view, size, 0, 0)[0])
    expect(box.north).toBeGreaterThanOrEqual(placed(view, size, 0, 0)[1])
    expect(box.east).toBeGreaterThanOrEqual(placed(view, size, 800, 600)[0])
    expect(asked(moved(view, 1, 1), size)).toEqual(box)
  })

  it('reads places as people write them', () => {
    expect(read('118.37, 31.33')).toEqual([118.37, 31.33])
    expect(read(' 118.37 31.33 ')).toEqual([118.37, 31.33])
    expect(read(written([118.37, 31.33]))).toEqual([118.37, 31.33])
    for (const bad of ['', '118', '118,x', '500,31', '0,0', '1,2,3']) expect(read(bad)).toBeNull()
  })
})
