import { AimOutlined, MinusOutlined, PlusOutlined } from '@ant-design/icons'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { look } from '../look/theme'
import { useStore } from '../parts/store'
import { t } from '../words'
import { paint, type Scene } from './draw'
import { moved, placed, type Point, type Size, type View, zoomed } from './view'

const STEP = 60
const CLICK = 4

interface Props {
  view: View
  onView: (view: View) => void
  onSize: (size: Size) => void
  onPick: (point: Point) => void
  onFit: () => void
  scene: Omit<Scene, 'cross'>
}

/** The roads on a canvas: dragged, zoomed and clicked, or steered by keys with a cross in the middle. */
export function RoadMap({ view, onView, onSize, onPick, onFit, scene }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [focused, setFocused] = useState(false)
  const drag = useRef<{ x: number; y: number; far: boolean } | null>(null)
  const { name } = useStore(look)
  const now = useRef({ view, size })
  useEffect(() => {
    now.current = { view, size }
  })

  useLayoutEffect(() => {
    const element = canvas.current
    if (!element) return
    const watch = new ResizeObserver(() => {
      const next = { width: element.clientWidth, height: element.clientHeight }
      setSize(next)
      onSize(next)
    })
    watch.observe(element)
    return () => watch.disconnect()
  }, [onSize])

  useEffect(() => {
    if (!canvas.current || size.width === 0) return
    const element = canvas.current
    const frame = requestAnimationFrame(() => paint(element, view, { ...scene, cross: focused }))
    return () => cancelAnimationFrame(frame)
  }, [view, size, scene, focused, name])

  // React listens to wheels passively, and then the page would scroll as well.
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const turn = (event: WheelEvent) => {
      event.preventDefault()
      onView(zoomed(now.current.view, now.current.size, Math.exp(event.deltaY * 0.0015), event.offsetX, event.offsetY))
    }
    element.addEventListener('wheel', turn, { passive: false })
    return () => element.removeEventListener('wheel', turn)
  }, [onView])

  const key = (event: React.KeyboardEvent) => {
    const far = event.shiftKey ? STEP * 3 : STEP
    const moves: Record<string, [number, number]> = { ArrowLeft: [far, 0], ArrowRight: [-far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] }
    const move = moves[event.key]
    if (move) onView(moved(view, ...move))
    else if (event.key === '+' || event.key === '=') onView(zoomed(view, size, 0.7))
    else if (event.key === '-') onView(zoomed(view, size, 1.4))
    else if (event.key === 'Home') onFit()
    else if (event.key === 'Enter' || event.key === ' ') onPick([view.longitude, view.latitude])
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  return (
    <div className="road-map">
      <canvas
        ref={canvas} tabIndex={0} role="application" aria-label={t('traffic.map')} title="" onKeyDown={key}
        onFocus={(event) => setFocused(event.target.matches(':focus-visible'))} onBlur={() => setFocused(false)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          drag.current = { x: event.clientX, y: event.clientY, far: false }
        }}
        onPointerMove={(event) => {
          const held = drag.current
          if (!held) return
          const [x, y] = [event.clientX - held.x, event.clientY - held.y]
          if (!held.far && Math.hypot(x, y) < CLICK) return
          drag.current = { x: event.clientX, y: event.clientY, far: true }
          onView(moved(view, x, y))
        }}
        onPointerUp={(event) => {
          const held = drag.current
          drag.current = null
          if (!held || held.far) return
          const edge = event.currentTarget.getBoundingClientRect()
          onPick(placed(view, size, event.clientX - edge.left, event.clientY - edge.top))
        }}
        onPointerCancel={() => {
          drag.current = null
        }}
      />
      <div className="road-map-tools">
        <button type="button" className="plain-button" aria-label={t('traffic.nearer')} title={`${t('traffic.nearer')} (+)`} onClick={() => onView(zoomed(view, size, 0.6))}><PlusOutlined /></button>
        <button type="button" className="plain-button" aria-label={t('traffic.farther')} title={`${t('traffic.farther')} (-)`} onClick={() => onView(zoomed(view, size, 1.6))}><MinusOutlined /></button>
        <button type="button" className="plain-button" aria-label={t('traffic.whole')} title={`${t('traffic.whole')} (Home)`} onClick={onFit}><AimOutlined /></button>
      </div>
    </div>
  )
}
