import { describe, expect, it, vi } from 'vitest'
import { dragOf, pictureIn } from './hands'
import { type Command, motionOf, Steering } from './steer'
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
  function bench() {
    const sent: Command[] = []
    const gates: (() => void)[] = []
    const steering = new Steering((command) => {
      sent.push(command)
      return new Promise<void>((resolve) => gates.push(resolve))
    }, vi.fn())
    const open = () => gates.shift()!()
    return { sent, steering, open }
  }

  it('sends one request at a time and never loses the stop', async () => {
    const { sent, steering, open } = bench()
    steering.move({ pan: 0.4 })
    steering.move({ pan: 1 })
    steering.stop()
    expect(sent).toEqual([{ action: 'move', pan: 0.4, tilt: 0, zoom: 0 }])
    open()
    await vi.waitFor(() => expect(sent.at(-1)).toEqual({ action: 'stop' }))
    steering.close()
  })
  it('stops the lens by the command of the lens, before the head moves', async () => {
    const { sent, steering, open } = bench()
    steering.move({ focus: -0.5 })
    steering.move({ tilt: 1 })
    open()
    await vi.waitFor(() => expect(sent).toHaveLength(2))
    open()
    await vi.waitFor(() => expect(sent).toHaveLength(3))
    steering.stop()
    expect(sent).toEqual([
      { action: 'lens', focus: -0.5, iris: 0 },
      { action: 'lens', focus: 0, iris: 0 },
      { action: 'move', pan: 0, tilt: 1, zoom: 0 },
    ])
    open()
    await vi.waitFor(() => expect(sent.at(-1)).toEqual({ action: 'stop' }))
    steering.close()
  })
  it('sends nothing more once somebody else has the camera', async () => {
    const { sent, steering, open } = bench()
    steering.move({ pan: 1 })
    steering.drop()
    open()
    await Promise.resolve()
    steering.close()
    expect(sent).toHaveLength(1)
  })
  it('understands held keys', () => {
    expect(motionOf(new Set(['ArrowLeft', 'ArrowUp']), false)).toMatchObject({ pan: -0.4, tilt: 0.4, zoom: 0 })
    expect(motionOf(new Set(['+']), true).zoom).toBe(1)
    expect(motionOf(new Set([',', ']']), false, 0.8)).toMatchObject({ focus: -0.8, iris: 0.8 })
  })
})

describe('a rectangle drawn over the picture', () => {
  const video = { videoWidth: 1600, videoHeight: 900 }
  it('is told in pixels of the picture, without the bars beside it', () => {
    const picture = pictureIn({ width: 800, height: 650 }, video)
    expect(picture).toEqual({ left: 0, top: 100, width: 800, height: 450 })
    expect(dragOf({ left: 200, top: 50, width: 200, height: 150 }, picture)).toEqual({ width: 800, height: 450, x: 300, y: 50, w: 200, h: 100 })
  })
  it('is nothing when it is a click', () => {
    expect(dragOf({ left: 10, top: 10, width: 2, height: 90 }, pictureIn({ width: 800, height: 450 }, video))).toBeNull()
  })
})
