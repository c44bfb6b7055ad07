import type { MenuProps } from 'antd'
import { useQueries } from '@tanstack/react-query'
import { App, Segmented } from 'antd'
import { type Dispatch, type ReactNode, type RefObject, type SetStateAction, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useKeys } from '../app/keys'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { TreeNode } from '../api/types'
import { AddToCase } from '../cases/add'
import { Deck } from '../media/deck'
import { iso } from '../parts/times'
import { SideTree } from '../parts/tree'
import { t, useLanguage } from '../words'
import { DRAGGED } from '../live/wall'
import { Controls } from './controls'
import { OnDevice } from './device'
import { ExportDialog, HoldDialog, RangeFacts } from './export'
import { MovementPanel, useMovement } from './finds'
import { Screen } from './screen'
import { around, inSight, markedOf, type Range, type Span } from './span'
import { type Thumbnail, Timeline } from './timeline'

const MOST = 9
const FIRST_SPAN = 2 * 3600e6
/** A viewing copy that was asked for where no range is marked is of so much. */
const COPY_LENGTH = 60e6
/** Playback opened without an instant begins a little in the past, where there is footage already. */
const FIRST_BACK = 60e6
/** Times of key frames are known to the millisecond, in two ways. */
const ROUNDED = 2e3
/** Nearer than this are two times of the same key frame. */
const SAME_PICTURE = 5e4

/** A channel that is played. */
export interface Played {
  id: string
  name: string
  /** Its code of GB/T 28181; without one it has no recordings of its own that could be reached. Null until it is known. */
  code: string | null
  device: string
}

export function PlaybackPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const navigate = useNavigate()
  const { message } = App.useApp()
  const ids = useMemo(() => (query.get('channels') ?? '').split(',').filter(Boolean).slice(0, MOST), [query])
  const [first] = useState(() => Number(query.get('at')) || Date.now() * 1000 - FIRST_BACK)
  const [chosen, setChosen] = useState(0)
  const [span, setSpan] = useState<Span>(() => around(first, FIRST_SPAN))
  const [range, setRange] = useState<Range>({ start: null, end: null })
  const names = usePlayed(ids)
  const lead = names[chosen] ?? names[0]
  const onDevice = query.get('source') === 'device' && lead !== undefined && lead.code !== ''
  const reachable = lead !== undefined && lead.code !== null && lead.code !== ''
  /** Where playing is, asked of whichever plays now. */
  const placeRef = useRef(() => first)

  const setIds = useCallback(
    (next: string[]) => setQuery((now) => {
      now.set('channels', next.join(','))
      return now
    }),
    [setQuery],
  )
  const add = (id: string) => {
    if (onDevice) setChosen(ids.includes(id) ? ids.indexOf(id) : ids.length)
    if (ids.includes(id)) return
    if (ids.length >= MOST) void message.info(t('play.full'))
    else setIds([...ids, id])
  }
  // The address names the instant, so that it can be sent to a colleague and Back returns to it.
  const note = useCallback(
    (at: number) => setQuery((now) => {
      now.set('at', String(Math.round(at)))
      return now
    }, { replace: true }),
    [setQuery],
  )
  const turnTo = (source: string) => {
    const at = placeRef.current()
    setQuery((now) => {
      now.set('at', String(Math.round(at)))
      if (source === 'device') now.set('source', source)
      else now.delete('source')
      return now
    })
  }
  const menu = (node: TreeNode): MenuProps['items'] => (node.kind === 'channel' ? [{ key: 'add', label: t('page.playback') }, { key: 'only', label: t('live.large') }, { key: 'settings', label: t('live.settings') }] : [])
  const act = (key: string, node: TreeNode) => {
    if (key === 'add') add(node.id)
    else if (key === 'only') setIds([node.id])
    else void navigate(`/channels/${node.id}`)
  }
  const marks = useMemo(() => new Set(ids), [ids])
  const source = reachable && (
    <Segmented
      size="small" aria-label={t('play.source')} value={onDevice ? 'device' : 'own'} onChange={turnTo}
      options={[{ value: 'own', label: t('play.here') }, { value: 'device', label: t('play.onDevice') }]}
    />
  )
  const shared = { at: Number(query.get('at')) || first, placeRef, span, onSpan: setSpan, range, onRange: setRange, onAt: note, source }
  return (
    <div className="split">
      <SideTree onOpen={(node) => add(node.id)} menu={menu} onMenu={act} marks={marks} chosen={lead?.id ?? null} />
      <div
        className="play-page"
        onDragOver={(event) => event.dataTransfer.types.includes(DRAGGED) && event.preventDefault()}
        onDrop={(event) => {
          const dropped = event.dataTransfer.getData(DRAGGED)
          if (dropped) add(dropped)
        }}
      >
        <h1 className="hidden-text">{t('page.playback')}</h1>
        {onDevice && !reachable ? null : onDevice ? <OnDevice key={lead.id} channel={lead} {...shared} /> : (
          <Own channels={names} chosen={chosen} onChoose={setChosen} onRemove={(id) => setIds(ids.filter((each) => each !== id))} {...shared} />
        )}
      </div>
    </div>
  )
}

/** What playing here and playing on the device have in common. */
export interface Playing {
  /** Where it begins, microseconds UTC. */
  at: number
  /** To be told where playing is. */
  placeRef: RefObject<() => number>
  span: Span
  onSpan: Dispatch<SetStateAction<Span>>
  range: Range
  onRange: Dispatch<SetStateAction<Range>>
  /** It went there on request. */
  onAt: (at: number) => void
  source: ReactNode
}

/** Begins with `first` in sight: until the other timeline was gone, it may have followed its own footage elsewhere. */
export function useInSight(first: number, onSpan: Playing['onSpan']): void {
  useEffect(() => onSpan((now) => inSight(now, first)), [first, onSpan])
}

interface OwnProps extends Playing {
  channels: Played[]
  chosen: number
  onChoose: (index: number) => void
  onRemove: (id: string) => void
}

/** The platform's own recordings, up to nine in step. */
function Own({ channels, chosen, onChoose, onRemove, at, placeRef, span, onSpan, range, onRange, onAt, source }: OwnProps) {
  const [first] = useState(at)
  useInSight(first, onSpan)
  const [deck, setDeck] = useState<Deck | null>(null)
  const [thumb, setThumb] = useState<Thumbnail | null>(null)
  const [shot, setShot] = useState<Thumbnail | null>(null)
  /** What pictures were asked for to be kept in a list, not for under the pointer: the moment said, and the one meant. */
  const shots = useRef(new Map<number, number>())
  const [dialog, setDialog] = useState<'export' | 'hold' | 'case' | null>(null)
  const [copy, setCopy] = useState<{ channel: string; start: number; end: number } | null>(null)
  const mayExport = useMay('export.make')
  const lead = channels[chosen] ?? channels[0]
  const movement = useMovement(lead?.id)
  const shownDeck = useRef<Deck | null>(null)
  /** What was asked for last: where there is no footage playing leaps ahead, and whoever then looks elsewhere means this. */
  const wished = useRef<{ at: number; since: number } | null>(null)

  useEffect(() => {
    const made = new Deck()
    made.play(1, 1)
    shownDeck.current = made
    setDeck(made)
    return () => {
      made.close()
      shownDeck.current = null
    }
  }, [])
  useEffect(() => {
    deck?.leadBy(chosen)
  }, [deck, chosen])
  const cursor = useCallback(() => shownDeck.current?.wall || first, [first])
  useEffect(() => {
    const begun = performance.now()
    wished.current ??= { at: first, since: begun }
    placeRef.current = () => {
      const { at: asked, since } = wished.current ?? { at: first, since: begun }
      const most = (performance.now() - since) * 1000 * (shownDeck.current?.speed ?? 1) + 5e6
      return Math.abs(cursor() - asked) > most ? asked : cursor()
    }
  }, [placeRef, cursor, first])
  const seek = useCallback(
    (to: number) => {
      const bounded = Math.min(to, Date.now() * 1000 - 2e6)
      wished.current = { at: bounded, since: performance.now() }
      shownDeck.current?.seek(bounded)
      onAt(bounded)
    },
    [onAt],
  )
  const hover = useThumbs(deck, setThumb)
  const took = useCallback((taken: Thumbnail) => {
    const meant = shots.current.get(taken.asked)
    if (meant === undefined) setThumb(taken)
    // Where that footage went meanwhile, another picture comes.
    else if (Math.abs(meant - taken.at) < SAME_PICTURE) setShot({ ...taken, at: meant })
  }, [])
  usePlaybackKeys(deck, cursor, seek, onRange, () => setDialog('export'))

  const marked = markedOf(range)
  const found = useMemo(
    () => movement.state && { channel: movement.state.channel, spans: movement.state.finds.map((each) => ({ start: each.start_us, end: each.end_us })) },
    [movement.state],
  )
  const count = channels.length
  return (
    <>
      {count === 0 || !deck ? (
        <div className="empty" style={{ flex: 1 }}><h2>{t('play.empty')}</h2><span>{t('play.begin')}</span></div>
      ) : (
        <div className={`play-screens n${count === 1 ? 1 : count === 2 ? 2 : count <= 4 ? 4 : 9}`}>
          {channels.map(({ id }, index) => (
            <Screen
              key={id} channel={id} deck={deck} at={first} chosen={index === chosen && count > 1} onChoose={() => onChoose(index)}
              onRemove={() => onRemove(id)} onThumb={took} onCopy={mayExport ? (from) => setCopy({ channel: id, ...(marked ?? minuteFrom(from)) }) : null}
              area={movement.open && id === lead?.id ? { regions: movement.regions, onRegions: movement.setRegions } : null}
            />
          ))}
        </div>
      )}
      {deck && (
        <Controls
          deck={deck} channel={lead?.id} span={span} onSpan={onSpan} onSeek={seek} cursor={cursor} range={range} onRange={onRange}
          onExport={marked ? () => setDialog('export') : null} onHold={marked ? () => setDialog('hold') : null} onCase={marked ? () => setDialog('case') : null} source={source}
          moving={movement.open} onMovement={() => (movement.open ? movement.close() : movement.setOpen(true))}
        />
      )}
      {deck && movement.open && lead && (
        <MovementPanel tool={movement} span={span} range={range} cursor={cursor} onSeek={seek} onThumb={(of) => { shots.current.set(of + ROUNDED, of); deck.of(lead.id)?.thumb(of + ROUNDED) }} thumb={shot} />
      )}
      {deck && <Timeline channels={channels} span={span} onSpan={onSpan} cursor={cursor} playing={deck.playing} range={range} onSeek={seek} onHover={hover} thumb={thumb} finds={found} />}
      {dialog === 'export' && marked && <ExportDialog channels={channels} {...marked} onClose={() => setDialog(null)} />}
      {copy && (
        <ExportDialog channels={channels.filter((each) => each.id === copy.channel)} start={copy.start} end={copy.end} product="viewing" onClose={() => setCopy(null)} />
      )}
      {dialog === 'case' && marked && (
        <AddToCase onClose={() => setDialog(null)} send={(path, words) => Promise.all(channels.map((each) => api.post('cases/{case}/footage', { path: { case: path }, body: { channel: each.id, start: iso(marked.start), end: iso(marked.end), words }, once: true })))}>
          <RangeFacts channels={channels} {...marked} />
        </AddToCase>
      )}
      {dialog === 'hold' && marked && <HoldDialog channels={channels} {...marked} onClose={() => setDialog(null)} />}
    </>
  )
}

/** As much as there may be of it already. */
function minuteFrom(at: number): Span {
  const end = Math.min(at + COPY_LENGTH, Date.now() * 1000 - 2e6)
  return { start: Math.min(at, end - 1e6), end }
}

function usePlayed(ids: string[]): Played[] {
  const answers = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['channels', id],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get('channels/{channel}', { path: { channel: id }, signal }),
      staleTime: 30_000,
    })),
  })
  return ids.map((id, index) => {
    const { name = id, code = null, device = '' } = answers[index]?.data ?? {}
    return { id, name, code, device }
  })
}

/** Thumbnails while the pointer moves over the timeline: at most six a second are asked for. */
function useThumbs(deck: Deck | null, clear: (thumb: null) => void): (at: number | null, channel?: string) => void {
  const askedAt = useRef(0)
  const timer = useRef<number | undefined>(undefined)
  return useCallback(
    (at, channel) => {
      window.clearTimeout(timer.current)
      if (at === null) {
        clear(null)
        return
      }
      const wait = Math.max(0, askedAt.current + 160 - performance.now())
      timer.current = window.setTimeout(() => {
        askedAt.current = performance.now()
        if (channel) deck?.of(channel)?.thumb(at)
      }, wait)
    },
    [deck, clear],
  )
}

const SPEEDS = [1, 2, 4, 8, 16]

export function faster(deck: Deck, direction: 1 | -1): void {
  const same = deck.playing && deck.direction === direction
  const next = same ? (SPEEDS.find((speed) => speed > deck.speed) ?? 16) : 1
  deck.play(next, direction)
}

function usePlaybackKeys(deck: Deck | null, cursor: () => number, seek: (at: number) => void, setRange: (change: (now: Range) => Range) => void, openExport: () => void): void {
  useKeys((event) => {
    if (!deck) return false
    switch (event.key) {
      case ' ':
        if (deck.playing) deck.pause()
        else deck.play(deck.speed, 1)
        return true
      case 'j':
        faster(deck, -1)
        return true
      case 'k':
        deck.pause()
        return true
      case 'l':
        faster(deck, 1)
        return true
      case ',':
        deck.step(-1)
        return true
      case '.':
        deck.step(1)
        return true
      case 'ArrowLeft':
        seek(cursor() - 10e6)
        return true
      case 'ArrowRight':
        seek(cursor() + 10e6)
        return true
      case '[':
        setRange((now) => ({ ...now, start: cursor() }))
        return true
      case ']':
        setRange((now) => ({ ...now, end: cursor() }))
        return true
      case 'e':
        openExport()
        return true
      default:
        return false
    }
  })
}
