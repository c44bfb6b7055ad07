import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { look } from '../look/theme'
import { useStore } from '../parts/store'
import { t } from '../words'
import type { Journey } from './track'

interface Props {
  journey: Journey
  start: number
  end: number
  at: number
  onSeek: (at: number) => void
}

/** How fast a vehicle was over the time; a gap is empty. A click leads there. */
export function Speed({ journey, start, end, at, onSeek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const { name } = useStore(look)
  useLayoutEffect(() => {
    const element = canvas.current
    if (!element) return
    const watch = new ResizeObserver(() => setWidth(element.clientWidth))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  useEffect(() => {
    if (canvas.current && width > 0) paint(canvas.current, journey, start, end, at)
  }, [journey, start, end, at, width, name])
  const seek = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
    onSeek(start + share * (end - start))
  }
  return (
    <canvas
      ref={canvas} className="fleet-speed" role="img" aria-label={t('fleet.speedOf', { name: journey.name })}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        seek(event)
      }}
      onPointerMove={(event) => {
        if (event.buttons) seek(event)
      }}
    />
  )
}

function paint(canvas: HTMLCanvasElement, journey: Journey, start: number, end: number, at: number): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const ratio = window.devicePixelRatio
  const [wide, high] = [canvas.clientWidth, canvas.clientHeight]
  canvas.width = Math.round(wide * ratio)
  canvas.height = Math.round(high * ratio)
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const steps = journey.way.steps
  const most = Math.max(40, ...steps.map((step) => step.speed_kmh ?? 0))
  const top = Math.ceil(most / 20) * 20
  const x = (time: number) => (end > start ? ((time - start) / (end - start)) * wide : 0)
  const y = (speed: number) => high - 3 - (speed / top) * (high - 8)
  context.strokeStyle = colour('--line')
  context.fillStyle = colour('--text-2')
  context.font = '10px sans-serif'
  for (const speed of [0, top / 2, top]) {
    context.beginPath()
    context.moveTo(0, y(speed))
    context.lineTo(wide, y(speed))
    context.stroke()
  }
  context.beginPath()
  let pen = false
  steps.forEach((step, index) => {
    if (step.speed_kmh === null) {
      pen = false
      return
    }
    const point: [number, number] = [x(journey.times[index]!), y(step.speed_kmh)]
    if (pen && !step.gap) context.lineTo(...point)
    else context.moveTo(...point)
    pen = true
  })
  context.strokeStyle = colour('--blue')
  context.lineWidth = 1.5
  context.stroke()
  context.lineWidth = 3
  context.strokeStyle = colour('--panel')
  for (const speed of [top / 2, top]) {
    const words = t('fleet.kmh', { n: speed })
    context.strokeText(words, 2, y(speed) + 11)
    context.fillText(words, 2, y(speed) + 11)
  }
  context.beginPath()
  context.moveTo(x(at), 0)
  context.lineTo(x(at), high)
  context.strokeStyle = colour('--outline')
  context.lineWidth = 2
  context.stroke()
}
