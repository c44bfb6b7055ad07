import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react'
import { t } from '../words'
import { between, MOST_REGIONS, nudged, type Region } from './movement'

interface AreaProps {
  video: RefObject<HTMLVideoElement | null>
  /** As the picture below is zoomed. */
  transform: string
  regions: Region[]
  onRegions: (regions: Region[]) => void
}

const STEP = 0.02
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }
const percent = (share: number) => `${share * 100}%`

/** Over a picture: rectangles are drawn with the pointer, and moved and sized by key. */
export function Area({ video, transform, regions, onRegions }: AreaProps) {
  const [shape, setShape] = useState(16 / 9)
  const [drawn, setDrawn] = useState<Region | null>(null)
  const from = useRef<[number, number] | null>(null)
  useEffect(() => {
    const element = video.current
    if (!element) return
    const look = () => element.videoWidth > 0 && setShape(element.videoWidth / element.videoHeight)
    look()
    element.addEventListener('resize', look)
    return () => element.removeEventListener('resize', look)
  }, [video])
  const place = (event: PointerEvent<HTMLDivElement>): [number, number] => {
    const box = event.currentTarget.getBoundingClientRect()
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
  }
  const begin = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0 || event.target !== event.currentTarget) return
    event.currentTarget.setPointerCapture(event.pointerId)
    from.current = place(event)
  }
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (from.current) setDrawn(between(...from.current, ...place(event)))
  }
  const end = (event: PointerEvent<HTMLDivElement>) => {
    const found = from.current && between(...from.current, ...place(event))
    from.current = null
    setDrawn(null)
    if (found && regions.length < MOST_REGIONS) onRegions([...regions, found])
  }
  const press = (event: KeyboardEvent, index: number) => {
    const by = ARROWS[event.key]
    if (by) onRegions(regions.map((each, at) => (at === index ? nudged(each, ...by, event.shiftKey) : each)))
    else if (event.key === 'Delete' || event.key === 'Backspace') onRegions(regions.filter((_, at) => at !== index))
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const style = ({ left, top, right, bottom }: Region) => ({ left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top) })
  return (
    <div className="movement-area" style={{ transform }} onDoubleClick={(event) => event.stopPropagation()}>
      <div
        className="movement-picture" style={{ aspectRatio: shape, width: `min(100cqw, 100cqh * ${shape})` }}
        onPointerDown={begin} onPointerMove={move} onPointerUp={end} onPointerCancel={() => { from.current = null; setDrawn(null) }}
      >
        {regions.map((region, index) => (
          <button
            key={index} type="button" className="movement-region" style={style(region)} aria-label={t('movement.region', { n: index + 1 })} title={t('movement.region', { n: index + 1 })}
            onKeyDown={(event) => press(event, index)}
          />
        ))}
        {drawn && <div className="movement-region" style={style(drawn)} />}
      </div>
    </div>
  )
}
