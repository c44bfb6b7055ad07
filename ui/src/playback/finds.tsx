import { Button, Progress } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { useKeys } from '../app/keys'
import { CaseButton } from '../cases/add'
import { ProblemNote } from '../parts/problem'
import { saveCsv } from '../parts/table'
import { clock, day, iso, span as length, stamp } from '../parts/times'
import { type Key, t } from '../words'
import { type Find, type Looked, MIDDLE, MOST_REGIONS, nextFind, nothing, type Region, search, type Sensitivity } from './movement'
import { markedOf, type Range, type Span } from './span'
import { Thumb, type Thumbnail } from './timeline'

const DAY = 86400e6
const LONGEST = 7 * DAY
/** What is recorded this very moment is not on the disk yet. */
const NOT_YET = 3e6
const MOST_CHOSEN = 50
const THUMB_MS = 200
const THUMB_ROUNDS = 3
const SENSITIVITIES: [Sensitivity, Key][] = [['low', 'movement.low'], ['normal', 'movement.normal'], ['high', 'movement.high']]
type Stretch = 'range' | 'shown' | 'day'

/** A search under way or done. */
export interface Movement {
  channel: string
  span: Span
  regions: Region[]
  sensitivity: Sensitivity
  precise: boolean
  finds: Find[]
  looked: Looked
  running: boolean
  error: unknown
}

/** One search at a time; another one, another channel or leaving the page ends it. */
export function useMovement(channel: string | undefined) {
  const [state, setState] = useState<Movement | null>(null)
  const [regions, setRegions] = useState<Region[]>([])
  const [open, setOpen] = useState(false)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => {
    setState(null)
    setRegions([])
    return () => stop.current?.abort()
  }, [channel])
  const cancel = () => {
    stop.current?.abort()
    setState((now) => now && { ...now, running: false })
  }
  const begin = (span: Span, sensitivity: Sensitivity, precise: boolean, reason: string) => {
    if (!channel || regions.length === 0) return
    stop.current?.abort()
    const own = new AbortController()
    stop.current = own
    setState({ channel, span, regions, sensitivity, precise, finds: [], looked: nothing(span.start), running: true, error: null })
    const change = (by: Partial<Movement>) => !own.signal.aborted && setState((now) => now && { ...now, ...by })
    search({ channel, span, regions, sensitivity, precise, reason }, own.signal, (finds, looked) => change({ finds, looked })).then(
      () => change({ running: false }),
      (error: unknown) => change({ running: false, error }),
    )
  }
  const close = () => {
    cancel()
    setOpen(false)
    setState(null)
  }
  return { state, regions, setRegions, open, setOpen, begin, cancel, close }
}

export type MovementTool = ReturnType<typeof useMovement>

interface PanelProps {
  tool: MovementTool
  span: Span
  range: Range
  cursor: () => number
  onSeek: (at: number) => void
  /** Ask for the key frame of a moment; it comes by `thumb`, whose `at` is that moment. */
  onThumb: (at: number) => void
  thumb: Thumbnail | null
}

export function MovementPanel({ tool, span, range, cursor, onSeek, onThumb, thumb }: PanelProps) {
  const { state, regions } = tool
  const marked = markedOf(range)
  const [chosen, setChosen] = useState<Stretch | null>(null)
  const [sensitivity, setSensitivity] = useState<Sensitivity>('normal')
  const [precise, setPrecise] = useState(false)
  const [reason, setReason] = useState('')
  const [current, setCurrent] = useState<number | null>(null)
  const stretch = chosen ?? (marked ? 'range' : 'shown')
  const finds = state?.finds ?? []
  const pictures = useThumbs(state?.channel ?? '', finds, thumb, onThumb)
  const go = (find: Find | undefined) => {
    if (!find) return
    setCurrent(find.peak_us)
    onSeek(find.peak_us)
  }
  useKeys((event) => {
    if (event.key !== 'n' && event.key !== 'p') return false
    go(nextFind(finds, cursor(), event.key === 'n' ? 1 : -1))
    return true
  })
  const start = () => {
    const now = Date.now() * 1000 - NOT_YET
    const wanted = stretch === 'range' && marked ? marked : stretch === 'day' ? { start: now - DAY, end: now } : span
    const end = Math.min(wanted.end, now)
    const begin = Math.max(wanted.start, end - LONGEST)
    if (end > begin) tool.begin({ start: begin, end }, sensitivity, precise, reason.trim())
  }
  const done = state ? Math.floor((100 * (state.looked.until - state.span.start)) / (state.span.end - state.span.start)) : 0
  return (
    <section className="movement" aria-label={t('movement.title')}>
      <div className="row">
        <b>{t('movement.title')}</b>
        <Button size="small" disabled={regions.length >= MOST_REGIONS} onClick={() => tool.setRegions([...regions, MIDDLE])}>{t('movement.middle')}</Button>
        <Button size="small" disabled={regions.length === 0} onClick={() => tool.setRegions([])}>{t('movement.clear')}</Button>
        <select aria-label={t('movement.stretch')} value={stretch} onChange={(event) => setChosen(event.target.value as Stretch)}>
          {marked && <option value="range">{t('movement.range')}</option>}
          <option value="shown">{t('movement.shown')}</option>
          <option value="day">{t('movement.day')}</option>
        </select>
        <select aria-label={t('movement.sensitivity')} value={sensitivity} onChange={(event) => setSensitivity(event.target.value as Sensitivity)}>
          {SENSITIVITIES.map(([each, words]) => <option key={each} value={each}>{t(words)}</option>)}
        </select>
        <label title={t('movement.preciseHint')}><input type="checkbox" checked={precise} onChange={(event) => setPrecise(event.target.checked)} /> {t('movement.precise')}</label>
        <input aria-label={t('export.reason')} placeholder={t('export.reason')} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
        {state?.running ? <Button size="small" onClick={tool.cancel}>{t('verb.cancel')}</Button> : <Button size="small" type="primary" disabled={regions.length === 0} onClick={start}>{t('movement.search')}</Button>}
        {state?.running && <Progress percent={done} size="small" style={{ width: 120 }} aria-label={t('movement.title')} />}
        <span className="grow" />
        {finds.length > 0 && !state?.running && <Button size="small" onClick={() => saveFinds(finds)}>{t('search.csv')}</Button>}
        {state && !state.running && <CaseButton n={Math.min(finds.length, MOST_CHOSEN)} send={(path, words) => intoCase(path, words, state)} />}
        <Button size="small" onClick={tool.close}>{t('verb.close')}</Button>
      </div>
      {regions.length === 0 && <p className="quiet">{t('movement.draw')}</p>}
      {state && <ProblemNote error={state.error} />}
      {finds.length > 0 && (
        <ol className="movement-finds">
          {finds.map((find) => (
            <li key={find.start_us}>
              <button type="button" className="plain-button" aria-current={current === find.peak_us} data-peak={find.peak_us} title={`${stamp(find.start_us)} – ${clock(find.end_us)}`} onClick={() => go(find)}>
                <span className="movement-thumb">{pictures.has(find.peak_us) && <Thumb blob={pictures.get(find.peak_us)!} />}</span>
                <span>{day(find.peak_us).slice(5)} {clock(find.start_us)}</span>
                <span className="quiet">{length((find.end_us - find.start_us) / 1e6)}{find.everywhere ? ` · ${t('movement.everywhere')}` : ''}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
      {state && <LookedAt state={state} />}
    </section>
  )
}

/** One row for each find: when, how much of the searched part moved at most, and where. */
function saveFinds(finds: Find[]): void {
  const rows = finds.map(({ start_us, end_us, peak_us, strength, everywhere, precise, box }) => [
    iso(start_us), iso(end_us), iso(peak_us), strength, String(everywhere), String(precise), box.left, box.top, box.right, box.bottom,
  ])
  saveCsv('movement', [['start', 'end', 'peak', 'strength', 'everywhere', 'precise', 'left', 'top', 'right', 'bottom'], ...rows])
}

/** The search with the first of its finds: each is a stretch of footage that the case holds. */
function intoCase(path: string, words: string, { channel, span, regions, sensitivity, precise, finds, looked }: Movement): Promise<unknown> {
  const chosen = finds.slice(0, MOST_CHOSEN).map(({ start_us, end_us }) => ({ start_us, end_us: Math.max(end_us, start_us + 1e6) }))
  const { until, frames, unreadable, step, missing, dismissed } = looked
  return api.post('cases/{case}/movement', {
    path: { case: path }, once: true,
    body: { channel, start: iso(span.start), end: iso(span.end), regions, sensitivity, until: iso(until), frames, unreadable, step_us: Math.round(step), missing_us: Math.round(missing), precise, dismissed, chosen, words },
  })
}

function LookedAt({ state: { finds, looked, running, span } }: { state: Movement }) {
  const parts = [
    t('movement.looked', { n: looked.frames, start: stamp(span.start), end: stamp(looked.until) }),
    ...(looked.step > 0 ? [t('movement.step', { length: length(looked.step / 1e6) })] : []),
    ...(looked.dismissed > 0 ? [t('movement.dismissed', { n: looked.dismissed })] : []),
    ...(looked.unreadable > 0 ? [t('movement.unreadable', { n: looked.unreadable })] : []),
    ...(looked.missing >= 1e6 ? [t('movement.missing', { length: length(looked.missing / 1e6) })] : []),
  ]
  return (
    <p className="quiet" role="status">
      {!running && <b>{finds.length === 0 ? t('movement.none') : t('movement.found', { n: finds.length })} </b>}
      {parts.join(' ')}
    </p>
  )
}

/** Pictures of the finds, asked for one after the other beside what plays; those that do not come are left out. */
function useThumbs(channel: string, finds: Find[], thumb: Thumbnail | null, ask: (at: number) => void): Map<number, Blob> {
  const [pictures, setPictures] = useState(() => new Map<number, Blob>())
  const asked = useRef(new Map<number, number>())
  const latest = useRef({ finds, ask, pictures })
  useEffect(() => {
    latest.current = { finds, ask, pictures }
  })
  useEffect(() => {
    asked.current.clear()
    setPictures(new Map())
    let round = 1
    const timer = window.setInterval(() => {
      const { finds: all, pictures: known } = latest.current
      const missing = (find: Find) => !known.has(find.peak_us) && (asked.current.get(find.peak_us) ?? 0) < round
      const next = all.find(missing)
      if (next) {
        asked.current.set(next.peak_us, round)
        latest.current.ask(next.peak_us)
      } else if (round < THUMB_ROUNDS && all.length > 0) round++ // what was lost on the way is asked for once more
    }, THUMB_MS)
    return () => window.clearInterval(timer)
  }, [channel])
  useEffect(() => {
    if (!thumb || thumb.channel !== channel) return
    const find = latest.current.finds.find((each) => each.peak_us === thumb.at)
    if (find) setPictures((now) => new Map(now).set(find.peak_us, thumb.blob))
  }, [thumb, channel])
  return pictures
}
