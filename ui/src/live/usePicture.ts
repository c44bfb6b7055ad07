import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { drag, transform, type View, WHOLE, zoomAt } from './zoom'

/** Wheel zooms into the picture, dragging moves it. */
export function usePicture(box: RefObject<HTMLElement | null>, on: boolean) {
  const [view, setView] = useState<View>(WHOLE)
  const held = useRef<{ x: number; y: number } | null>(null)

  useEffect(() => {
    const element = box.current
    if (!element || !on) return
    // React listens to wheels passively, and a passive listener cannot keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const area = element.getBoundingClientRect()
      setView((now) => zoomAt(now, event.deltaY < 0 ? 1.25 : 0.8, (event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height))
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [box, on])

  const handlers = on
    ? {
        onPointerDown: (event: PointerEvent<HTMLElement>) => {
          if (view.scale === 1 || event.button !== 0) return
          held.current = { x: event.clientX, y: event.clientY }
          event.currentTarget.setPointerCapture(event.pointerId)
        },
        onPointerMove: (event: PointerEvent<HTMLElement>) => {
          if (!held.current) return
          const { clientWidth, clientHeight } = event.currentTarget
          const dx = (event.clientX - held.current.x) / clientWidth
          const dy = (event.clientY - held.current.y) / clientHeight
          held.current = { x: event.clientX, y: event.clientY }
          setView((now) => drag(now, dx, dy))
        },
        onPointerUp: () => {
          held.current = null
        },
      }
    : {}
  return { view, transform: transform(view), handlers, reset: () => setView(WHOLE) }
}
