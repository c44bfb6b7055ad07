import {
  BackwardOutlined, BorderOuterOutlined, CalendarOutlined, CaretLeftOutlined, CaretRightOutlined, ForwardOutlined, PauseOutlined, StepBackwardOutlined,
  StepForwardOutlined, ZoomInOutlined, ZoomOutOutlined,
} from '@ant-design/icons'
import { Button, Popover } from 'antd'
import { type KeyboardEvent, type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'
import { useNavigate } from 'react-router'
import { useMay } from '../api/session'
import { Tool } from '../live/tools'
import type { Deck } from '../media/deck'
import { useSecond } from '../parts/age'
import { clock, day, dayStart, span as length, zoneName } from '../parts/times'
import { t } from '../words'
import { Calendar } from './calendar'
import { around, type Range, type Span, zoomed } from './span'

interface ControlsProps {
  deck: Deck
  channel: string | undefined
  span: Span
  onSpan: (span: Span) => void
  onSeek: (at: number) => void
  cursor: () => number
  range: Range
  onRange: (range: Range) => void
  onExport: (() => void) | null
  onHold: (() => void) | null
  onCase: (() => void) | null
  /** Searching for movement is on or not. */
  moving: boolean
  onMovement: () => void
  /** Chooses whose recordings are played. */
  source: ReactNode
}

const SPEEDS = [0.5, 1, 2, 4, 8, 16]

export function Controls(props: ControlsProps) {
  const { deck, onSeek, cursor, range, onRange, span, onSpan } = props
  useSyncExternalStore(deck.subscribe, deck.snapshot)
  const navigate = useNavigate()
  const mayExport = useMay('export.make')
  const mayHold = useMay('hold.place')
  const mayCase = useMay('case.write')
  const jump = (at: number) => {
    onSeek(at)
    onSpan(around(at, span.end - span.start))
  }
  const middle = () => Math.min(Math.max(cursor(), span.start), span.end)
  return (
    <div className="play-bar" role="toolbar" aria-label={t('page.playback')}>
      <Tool words={`${t('play.frameBack')} (,)`} onClick={() => deck.step(-1)}><StepBackwardOutlined /></Tool>
      <Tool words={`${t('play.skipBack')} (←)`} onClick={() => onSeek(cursor() - 10e6)}><BackwardOutlined /></Tool>
      <Tool words={`${t('play.back')} (J)`} on={deck.playing && deck.direction < 0} onClick={() => deck.play(deck.speed, -1)}><CaretLeftOutlined /></Tool>
      {deck.playing ? (
        <Tool words={`${t('play.pause')} (K)`} onClick={() => deck.pause()}><PauseOutlined /></Tool>
      ) : (
        <Tool words={`${t('play.play')} (L)`} onClick={() => deck.play(deck.speed, 1)}><CaretRightOutlined /></Tool>
      )}
      <Tool words={`${t('play.skipForward')} (→)`} onClick={() => onSeek(cursor() + 10e6)}><ForwardOutlined /></Tool>
      <Tool words={`${t('play.frameForward')} (.)`} onClick={() => deck.step(1)}><StepForwardOutlined /></Tool>
      <select aria-label={t('play.speed')} value={deck.speed} onChange={(event) => deck.play(Number(event.target.value), deck.direction)}>
        {SPEEDS.map((speed) => <option key={speed} value={speed}>{speed}×</option>)}
      </select>
      <span className="sep" />
      <WhenPicker channel={props.channel} cursor={cursor} onJump={jump} />
      <button type="button" className="plain-button" onClick={() => jump(Date.now() * 1000 - 5e6)}>{t('play.now')}</button>
      {props.channel && <button type="button" className="plain-button" onClick={() => void navigate(`/live/${props.channel}`)}>{t('play.live')}</button>}
      <span className="sep" />
      <RangeTools range={range} onRange={onRange} cursor={cursor} />
      {mayExport && <Button size="small" disabled={!props.onExport} onClick={props.onExport ?? undefined}>{t('play.export')}</Button>}
      {mayHold && <Button size="small" disabled={!props.onHold} style={{ marginLeft: 4 }} onClick={props.onHold ?? undefined}>{t('play.hold')}</Button>}
      {mayCase && <Button size="small" disabled={!props.onCase} style={{ marginLeft: 4 }} onClick={props.onCase ?? undefined}>{t('case.add')}</Button>}
      {props.channel && <Tool words={t('movement.title')} on={props.moving} onClick={props.onMovement}><BorderOuterOutlined /> {t('movement.title')}</Tool>}
      <span className="grow" />
      <span className="row nowrap" style={{ gap: 2 }}>
        {props.source}
        <Tool words={t('timeline.zoomOut')} onClick={() => onSpan(zoomed(span, 2, middle()))}><ZoomOutOutlined /></Tool>
        <Tool words={t('timeline.zoomIn')} onClick={() => onSpan(zoomed(span, 0.5, middle()))}><ZoomInOutlined /></Tool>
      </span>
    </div>
  )
}

/** Where the range begins and ends. */
export function RangeTools({ range, onRange, cursor }: Pick<ControlsProps, 'range' | 'onRange' | 'cursor'>) {
  return (
    <>
      <Tool words={`${t('play.in')} ([)`} on={range.start !== null} onClick={() => onRange({ ...range, start: cursor() })}>[</Tool>
      <Tool words={`${t('play.out')} (])`} on={range.end !== null} onClick={() => onRange({ ...range, end: cursor() })}>]</Tool>
      {range.start !== null && range.end !== null && range.end > range.start && (
        <button type="button" className="plain-button" title={t('play.rangeClear')} onClick={() => onRange({ start: null, end: null })}>
          {t('play.range', { start: clock(range.start), end: clock(range.end), length: length((range.end - range.start) / 1e6) })} ×
        </button>
      )}
    </>
  )
}

/** The day in a calendar, the time in a field; both show where playing is. */
export function WhenPicker({ channel, cursor, onJump }: { channel: string | undefined; cursor: () => number; onJump: (at: number) => void }) {
  useSecond()
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState<string | null>(null)
  const at = cursor()
  useEffect(() => {
    if (open) setTyped(null)
  }, [open])
  const inDay = at - dayStart(at)
  const enter = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') setTyped(null)
    if (event.key !== 'Enter') return
    const found = /^(\d{1,2}):?(\d{2})(?::?(\d{2}))?$/.exec(event.currentTarget.value.trim())
    if (found) onJump(dayStart(at) + (Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3] ?? 0)) * 1e6)
    setTyped(null)
    event.currentTarget.blur()
  }
  const pick = (start: number) => {
    setOpen(false)
    onJump(start + inDay)
  }
  return (
    <>
      <Popover trigger="click" open={open} onOpenChange={setOpen} content={<Calendar channel={channel} at={at} onPick={pick} />} destroyOnHidden>
        <button type="button" className="plain-button" title={zoneName()}><CalendarOutlined aria-hidden /><span className="hidden-text">{t('play.day')}</span>{day(at)}</button>
      </Popover>
      <input
        className="clock" aria-label={t('play.time')} value={typed ?? clock(at)} onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => setTyped(event.target.value)} onBlur={() => setTyped(null)} onKeyDown={enter}
      />
    </>
  )
}
