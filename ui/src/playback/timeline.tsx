import { useQueries } from '@tanstack/react-query'
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import type { Timeline as Data } from '../api/types'
import { useStore } from '../parts/store'
import { look } from '../look/theme'
import { clock, iso, span as length, stamp } from '../parts/times'
import { maybe, t, useLanguage } from '../words'
import { AXIS, paint, ROW } from './draw'
import { asked, following, moved, type Span, zoomed } from './span'

interface TimelineProps {
  channels: { id: string; name: string }[]
  span: Span
  onSpan: (span: Span) => void
  /** Where playing is, asked for each picture drawn. */
  cursor: () => number
  playing: boolean
  range: { start: number | null; end: number | null }
  onSeek: (at: number) => void
  /** The pointer is over this moment of this channel. */
  onHover: (at: number | null, channel?: string) => void
  thumb: Thumbnail | null
  /** What there is of each channel, where it is not the platform's own. */
  lines?: (Data | undefined)[]
  /** What a search found, in the row of its channel. */
  finds?: { channel: string; spans: Span[] } | null
}

export interface Thumbnail {
  channel: string
  /** When it was taken, microseconds UTC. */
  at: number
  /** The moment whose picture was asked for. */
  asked: number
  blob: Blob
}

const DRAG_PIXELS = 4
const NONE: string[] = []

export function Timeline({ channels, span, onSpan, cursor, playing, range, onSeek, onHover, thumb, lines: given, finds }: TimelineProps) {
  useLanguage()
  useStore(look)
  const canvas = useRef<HTMLCanvasElement>(null)
  const [hover, setHover] = useState<{ at: number; x: number; row: number } | null>(null)
  const grip = useRef<{ x: number; moved: boolean; span: Span } | null>(null)
  const own = useTimelines(given ? NONE : channels.map((each) => each.id), span)
  const data = given ?? own
  const state = useRef({ span, onSpan, playing, range, hover, channels, data, cursor, finds })
  useEffect(() => {
    state.current = { span, onSpan, playing, range, hover, channels, data, cursor, finds }
  })

  useEffect(() => {
    let handle = 0
    let drawnAt = 0
    const draw = (now: number) => {
      handle = requestAnimationFrame(draw)
      // A calm 10 pictures a second while nothing is touched.
      if (now - drawnAt < (grip.current ? 15 : 95)) return
      drawnAt = now
      const { span: shown, hover: point, channels: names, data: lines, range: marked, cursor: at, playing: plays, finds: found } = state.current
      const instant = at()
      if (!canvas.current) return
      if (plays && !grip.current) {
        const next = following(shown, instant)
        if (next !== shown) state.current.onSpan(next)
      }
      paint(canvas.current, {
        span: shown, cursor: instant, hover: point?.at ?? null, range: marked, now: Date.now() * 1000,
        rows: names.map((each, index) => ({ name: each.name, timeline: lines[index], leads: index === 0, finds: found?.channel === each.id ? found.spans : [] })),
      })
    }
    handle = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(handle)
  }, [])

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { span: shown } = state.current
      const part = event.offsetX / element.clientWidth
      const at = shown.start + part * (shown.end - shown.start)
      state.current.onSpan(event.shiftKey ? moved(shown, Math.sign(event.deltaY) * (shown.end - shown.start) * 0.1) : zoomed(shown, event.deltaY < 0 ? 0.75 : 1.34, at))
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [])

  const instant = (event: PointerEvent<HTMLCanvasElement>) => {
    const area = event.currentTarget.getBoundingClientRect()
    return span.start + ((event.clientX - area.left) / area.width) * (span.end - span.start)
  }
  const point = (event: PointerEvent<HTMLCanvasElement>) => {
    const area = event.currentTarget.getBoundingClientRect()
    if (grip.current) {
      const dx = event.clientX - grip.current.x
      if (Math.abs(dx) > DRAG_PIXELS) grip.current.moved = true
      if (grip.current.moved) onSpan(moved(grip.current.span, (-dx / area.width) * (span.end - span.start)))
    }
    const at = instant(event)
    const row = Math.max(0, Math.min(channels.length - 1, Math.floor((event.clientY - area.top - AXIS) / ROW)))
    setHover({ at, x: event.clientX - area.left, row })
    onHover(at, channels[row]?.id)
  }
  const leave = () => {
    setHover(null)
    onHover(null)
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter') onSeek(cursor())
  }
  return (
    <div className="timeline">
      <div className="timeline-names" aria-hidden>
        {channels.map((each) => <span key={each.id} className="clip" title={each.name}>{each.name}</span>)}
      </div>
      <div className="timeline-box" style={{ height: AXIS + Math.max(1, channels.length) * ROW }}>
        <canvas
          ref={canvas} role="slider" tabIndex={0} aria-label={t('timeline.label')} aria-valuenow={Math.round(cursor() / 1e6)} aria-valuetext={cursor() > 0 ? stamp(cursor()) : ''}
          data-start={span.start} data-end={span.end}
          onKeyDown={press}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId)
            grip.current = { x: event.clientX, moved: false, span }
          }}
          onPointerMove={point}
          onPointerUp={(event) => {
            const dragged = grip.current?.moved
            grip.current = null
            if (!dragged) onSeek(instant(event))
          }}
          onPointerCancel={() => (grip.current = null)}
          onPointerLeave={leave}
        />
        {hover && <Hover x={hover.x} at={hover.at} thumb={thumb && thumb.channel === channels[hover.row]?.id ? thumb.blob : null} line={data[hover.row]} />}
      </div>
    </div>
  )
}

function Hover({ x, at, thumb, line }: { x: number; at: number; thumb: Blob | null; line: Data | undefined }) {
  const gap = line?.gaps.find((each) => each.start_us <= at && at < each.end_us)
  const piece = line?.pieces.find((each) => each.start_us <= at && at < each.end_us)
  return (
    <div className="timeline-hover" style={{ left: `clamp(84px, ${x}px, calc(100% - 84px))` }}>
      {thumb && piece && <Thumb blob={thumb} />}
      <div className="row" style={{ justifyContent: 'center' }}>
        <b>{clock(at)}</b>
        {piece?.held && <span className="quiet">{t('timeline.held')}</span>}
      </div>
      {gap && <div className="p3">{maybe(`cause.${gap.cause}`) ?? gap.cause} · {length((gap.end_us - gap.start_us) / 1e6)}</div>}
    </div>
  )
}

export function Thumb({ blob }: { blob: Blob }) {
  const [address, setAddress] = useState('')
  useEffect(() => {
    const made = URL.createObjectURL(blob)
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  if (!address) return null
  return blob.type === 'image/jpeg' ? <img src={address} alt="" /> : <video src={address} muted playsInline autoPlay />
}

function useTimelines(channels: string[], span: Span): (Data | undefined)[] {
  const { start, end, resolution_ms } = asked(span)
  return useQueries({
    queries: channels.map((channel) => ({
      queryKey: ['timeline', channel, start, end],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get('channels/{channel}/timeline', { path: { channel }, query: { start: iso(start), end: iso(end), resolution_ms }, signal }),
      staleTime: 8_000,
      refetchInterval: () => (end > Date.now() * 1000 ? 10_000 : (false as const)),
      placeholderData: (before: Data | undefined) => before,
    })),
  }).map((answer) => answer.data)
}
