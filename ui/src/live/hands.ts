// Keys and mouse on a picture that is steered.

import { type RefObject, useEffect, useRef, useState } from 'react'
import { useKeys } from '../app/keys'
import { motionOf, type Steering } from './steer'

const KEYS = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', '+', '-'])
const LENS = new Set([',', '.', '[', ']'])
/** Shift makes other characters of them; the hand means the key. */
const PLAIN: Record<string, string> = { '=': '+', _: '-', '<': ',', '>': '.', '{': '[', '}': ']' }

/** Arrows and + - always; focus (, .) and iris ([ ]) and single letters while the lock is kept. `act` answers whether it used the key. */
export function usePtzKeys(steering: Steering, on: boolean, kept: boolean, act: (key: string) => boolean): void {
  const held = useRef(new Set<string>())
  const known = (event: KeyboardEvent) => {
    const key = PLAIN[event.key] ?? event.key
    return KEYS.has(key) || (kept && LENS.has(key)) ? key : null
  }
  useKeys(
    (event) => {
      if (!on) return false
      const key = known(event)
      if (key === null) return kept && !event.repeat && act(event.key)
      held.current.add(key)
      steering.move(motionOf(held.current, event.shiftKey))
      return true
    },
    (event) => {
      const key = known(event)
      if (!on || key === null || !held.current.delete(key)) return
      steering.move(motionOf(held.current, event.shiftKey))
    },
  )
  useEffect(() => {
    // A key let go in another window is never reported here.
    const blur = () => {
      if (held.current.size === 0) return
      held.current.clear()
      steering.stop()
    }
    window.addEventListener('blur', blur)
    return () => window.removeEventListener('blur', blur)
  }, [steering])
}

/** Press beside the middle: the camera turns that way, faster further out; the wheel zooms. */
export function useAim(steering: Steering, box: RefObject<HTMLElement | null>, on: boolean): void {
  useEffect(() => {
    const element = box.current
    if (!element || !on) return
    let pressed = false
    let settle: number | undefined
    const aim = (event: PointerEvent) => {
      const area = element.getBoundingClientRect()
      const part = (value: number) => (Math.abs(value) < 0.08 ? 0 : Math.round(Math.max(-1, Math.min(1, value)) * 10) / 10)
      steering.move({
        pan: part(((event.clientX - area.left) / area.width - 0.5) * 2),
        tilt: part((0.5 - (event.clientY - area.top) / area.height) * 2),
      })
    }
    const down = (event: PointerEvent) => {
      if (event.button !== 0) return
      pressed = true
      element.setPointerCapture(event.pointerId)
      aim(event)
    }
    const move = (event: PointerEvent) => {
      if (pressed) aim(event)
    }
    const up = () => {
      if (pressed) steering.stop()
      pressed = false
    }
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      steering.move({ zoom: event.deltaY < 0 ? 0.6 : -0.6 })
      window.clearTimeout(settle)
      settle = window.setTimeout(() => steering.stop(), 250)
    }
    element.addEventListener('pointerdown', down)
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerup', up)
    element.addEventListener('pointercancel', up)
    element.addEventListener('wheel', wheel, { passive: false })
    return () => {
      window.clearTimeout(settle)
      element.removeEventListener('pointerdown', down)
      element.removeEventListener('pointermove', move)
      element.removeEventListener('pointerup', up)
      element.removeEventListener('pointercancel', up)
      element.removeEventListener('wheel', wheel)
    }
  }, [steering, box, on])
}

export interface Rectangle {
  left: number
  top: number
  width: number
  height: number
}

export interface Drag {
  width: number
  height: number
  x: number
  y: number
  w: number
  h: number
}

/** Where in the box the picture itself is shown (`object-fit: contain` leaves bars). */
export function pictureIn(box: { width: number; height: number }, video: { videoWidth: number; videoHeight: number }): Rectangle {
  if (!video.videoWidth || !video.videoHeight) return { left: 0, top: 0, ...box }
  const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight)
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale]
  return { left: (box.width - width) / 2, top: (box.height - height) / 2, width, height }
}

/** A rectangle drawn over the box, in pixels of the picture as the standard has them; null where it is too small or outside. */
export function dragOf(drawn: Rectangle, picture: Rectangle): Drag | null {
  const left = Math.max(drawn.left, picture.left) - picture.left
  const top = Math.max(drawn.top, picture.top) - picture.top
  const right = Math.min(drawn.left + drawn.width, picture.left + picture.width) - picture.left
  const bottom = Math.min(drawn.top + drawn.height, picture.top + picture.height) - picture.top
  if (right - left < 8 || bottom - top < 8) return null
  const round = Math.round
  return { width: round(picture.width), height: round(picture.height), x: round((left + right) / 2), y: round((top + bottom) / 2), w: round(right - left), h: round(bottom - top) }
}

/** Draw a rectangle: towards the lower right the camera zooms into it, towards the upper left it zooms out. Answers what is drawn just now. */
export function useRectangle(box: RefObject<HTMLElement | null>, on: boolean, done: (closer: boolean, drag: Drag) => void): Rectangle | null {
  const [drawn, setDrawn] = useState<Rectangle | null>(null)
  const finish = useRef(done)
  useEffect(() => {
    finish.current = done
  })
  useEffect(() => {
    const element = box.current
    if (!element || !on) return
    let from: { x: number; y: number } | null = null
    const at = (event: PointerEvent) => {
      const area = element.getBoundingClientRect()
      return { x: event.clientX - area.left, y: event.clientY - area.top }
    }
    const between = (to: { x: number; y: number }): Rectangle | null =>
      from && { left: Math.min(from.x, to.x), top: Math.min(from.y, to.y), width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) }
    const down = (event: PointerEvent) => {
      if (event.button !== 0) return
      from = at(event)
      element.setPointerCapture(event.pointerId)
    }
    const move = (event: PointerEvent) => setDrawn(between(at(event)))
    const up = (event: PointerEvent) => {
      const to = at(event)
      const video = element.querySelector('video')
      const rectangle = between(to)
      const drag = rectangle && video && dragOf(rectangle, pictureIn(element.getBoundingClientRect(), video))
      if (drag && from) finish.current(to.x > from.x, drag)
      from = null
      setDrawn(null)
    }
    element.addEventListener('pointerdown', down)
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerup', up)
    return () => {
      setDrawn(null)
      element.removeEventListener('pointerdown', down)
      element.removeEventListener('pointermove', move)
      element.removeEventListener('pointerup', up)
    }
  }, [box, on])
  return on ? drawn : null
}
