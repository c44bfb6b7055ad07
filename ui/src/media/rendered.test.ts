import { afterEach, expect, test, vi } from 'vitest'
import { Rendered } from './rendered'

afterEach(() => vi.unstubAllGlobals())

/** A video that shows a picture and tells of it, or does not. */
function standing() {
  let told: (now: number, frame: { mediaTime: number }) => void = () => undefined
  class Video {
    currentTime = 0
    requestVideoFrameCallback(callback: typeof told): number {
      told = callback
      return 1
    }
  }
  vi.stubGlobal('HTMLVideoElement', Video)
  const video = new Video()
  const rendered = new Rendered(video as unknown as HTMLVideoElement)
  const show = (at: number) => {
    video.currentTime = at
    told(0, { mediaTime: at })
  }
  return { video, rendered, show }
}

test('a picture that nobody told of is missed, and no longer once it is told', () => {
  const { video, rendered, show } = standing()
  for (const at of [1.0, 1.1, 1.2]) show(at)
  video.currentTime = 1.26
  expect(rendered.missed).toBe(false)
  video.currentTime = 1.34
  expect(rendered.missed).toBe(true)
  show(1.3)
  video.currentTime = 1.34
  expect(rendered.missed).toBe(false)
})

test('where pictures were left out the shortest way between two counts', () => {
  const { video, rendered, show } = standing()
  for (const at of [1.0, 1.1, 1.4]) show(at)
  video.currentTime = 1.52
  expect(rendered.missed).toBe(true)
})
