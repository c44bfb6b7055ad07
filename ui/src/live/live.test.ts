import { describe, expect, it, vi } from 'vitest'
import { motionOf, Steering } from './steer'
import { wantedQuality } from './usePlayer'
import { pagesOf, placed, resized } from './wall'
import { drag, transform, WHOLE, zoomAt } from './zoom'

describe('the wall', () => {
  it('keeps channels when it shrinks, as far as there is room', () => {
    expect(resized(['a', null, null, 'd'], 1)).toEqual(['a'])
    expect(resized([null, 'b', null, null], 1)).toEqual(['b'])
    expect(resized(['a'], 4)).toEqual(['a', null, null, null])
  })
  it('changes places when a shown channel is dropped elsewhere', () => {
    expect(placed(['a', 'b', null, null], 'a', 1)).toEqual(['b', 'a', null, null])
    expect(placed(['a', 'b'], 'c', 0)).toEqual(['c', 'b'])
  })
  it('turns the pages of a tour', () => expect(pagesOf(['a', 'b', 'c'], 2)).toEqual([['a', 'b'], ['c']]))
  it('takes the sub stream for small tiles', () => {
    expect(wantedQuality(400, 1)).toBe('sub')
    expect(wantedQuality(640, 2)).toBe('main')
  })
})

describe('digital zoom', () => {
  it('keeps the point under the pointer and never shows the outside', () => {
    const view = zoomAt(WHOLE, 2, 0.25, 0.5)
    expect(view).toEqual({ scale: 2, x: -0.25, y: -0.5 })
    expect(drag(view, 5, 5)).toEqual({ scale: 2, x: 0, y: 0 })
    expect(zoomAt(view, 0.1, 0.5, 0.5).scale).toBe(1)
    expect(transform(WHOLE)).toBe('')
  })
})

describe('steering', () => {
  it('sends one request at a time and never loses the stop', async () => {
    const sent: string[] = []
    const gates: (() => void)[] = []
    const steering = new Steering((action, motion) => {
      sent.push(`${action} ${motion.pan}`)
      return new Promise<void>((resolve) => gates.push(resolve))
    }, vi.fn())
    steering.move({ pan: 0.4 })
    steering.move({ pan: 1 })
    steering.stop()
    expect(sent).toEqual(['move 0.4'])
    gates.shift()!()
    await vi.waitFor(() => expect(sent).toEqual(['move 0.4', 'stop 0']))
    steering.close()
  })
  it('understands held keys', () => {
    expect(motionOf(new Set(['ArrowLeft', 'ArrowUp']), false)).toEqual({ pan: -0.4, tilt: 0.4, zoom: 0 })
    expect(motionOf(new Set(['+']), true).zoom).toBe(1)
  })
})
