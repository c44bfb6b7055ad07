import type { MenuProps } from 'antd'
import { useQueries } from '@tanstack/react-query'
import { App } from 'antd'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useKeys } from '../app/keys'
import { api } from '../api/client'
import type { Channel, TreeNode } from '../api/types'
import { Deck } from '../media/deck'
import { SideTree } from '../parts/tree'
import { t, useLanguage } from '../words'
import { DRAGGED } from '../live/wall'
import { Controls } from './controls'
import { ExportDialog, HoldDialog } from './export'
import { Screen } from './screen'
import { around, type Span } from './span'
import { Timeline } from './timeline'

const MOST = 9
const FIRST_SPAN = 2 * 3600e6
/** Playback opened without an instant begins a little in the past, where there is footage already. */
const FIRST_BACK = 60e6

export type Range = { start: number | null; end: number | null }

export function PlaybackPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const navigate = useNavigate()
  const { message } = App.useApp()
  const ids = useMemo(() => (query.get('channels') ?? '').split(',').filter(Boolean).slice(0, MOST), [query])
  const [first] = useState(() => Number(query.get('at')) || Date.now() * 1000 - FIRST_BACK)
  const [deck, setDeck] = useState<Deck | null>(null)
  const [chosen, setChosen] = useState(0)
  const [span, setSpan] = useState<Span>(() => around(first, FIRST_SPAN))
  const [range, setRange] = useState<Range>({ start: null, end: null })
  const [thumb, setThumb] = useState<Blob | null>(null)
  const [dialog, setDialog] = useState<'export' | 'hold' | null>(null)
  const names = useNames(ids)
  const shownDeck = useRef<Deck | null>(null)

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

  const setIds = useCallback(
    (next: string[]) => setQuery((now) => {
      now.set('channels', next.join(','))
      return now
    }),
    [setQuery],
  )
  const add = (id: string) => {
    if (ids.includes(id)) return
    if (ids.length >= MOST) void message.info(t('play.full'))
    else setIds([...ids, id])
  }
  const cursor = useCallback(() => shownDeck.current?.wall || first, [first])
  const seek = useCallback(
    (at: number) => {
      const bounded = Math.min(at, Date.now() * 1000 - 2e6)
      shownDeck.current?.seek(bounded)
      // The address names the instant, so that it can be sent to a colleague and Back returns to it.
      setQuery((now) => {
        now.set('at', String(Math.round(bounded)))
        return now
      }, { replace: true })
    },
    [setQuery],
  )
  const hover = useThumbs(deck, chosen, setThumb)
  usePlaybackKeys(deck, cursor, seek, setRange, () => setDialog('export'))

  const menu = (node: TreeNode): MenuProps['items'] => (node.kind === 'channel' ? [{ key: 'add', label: t('page.playback') }, { key: 'only', label: t('live.large') }, { key: 'settings', label: t('live.settings') }] : [])
  const act = (key: string, node: TreeNode) => {
    if (key === 'add') add(node.id)
    else if (key === 'only') setIds([node.id])
    else void navigate(`/channels/${node.id}`)
  }
  const marks = useMemo(() => new Set(ids), [ids])
  const marked = range.start !== null && range.end !== null && range.end > range.start ? { start: range.start, end: range.end } : null
  return (
    <div className="split">
      <SideTree onOpen={(node) => add(node.id)} menu={menu} onMenu={act} marks={marks} chosen={ids[chosen] ?? null} />
      <div
        className="play-page"
        onDragOver={(event) => event.dataTransfer.types.includes(DRAGGED) && event.preventDefault()}
        onDrop={(event) => {
          const dropped = event.dataTransfer.getData(DRAGGED)
          if (dropped) add(dropped)
        }}
      >
        <h1 className="hidden-text">{t('page.playback')}</h1>
        {ids.length === 0 || !deck ? (
          <div className="empty" style={{ flex: 1 }}><h2>{t('play.empty')}</h2><span>{t('play.begin')}</span></div>
        ) : (
          <div className={`play-screens n${ids.length === 1 ? 1 : ids.length === 2 ? 2 : ids.length <= 4 ? 4 : 9}`}>
            {ids.map((id, index) => (
              <Screen
                key={id} channel={id} deck={deck} at={first} chosen={index === chosen && ids.length > 1} onChoose={() => setChosen(index)}
                onRemove={() => setIds(ids.filter((each) => each !== id))} onThumb={index === chosen ? setThumb : undefined}
              />
            ))}
          </div>
        )}
        {deck && (
          <Controls
            deck={deck} channel={ids[chosen] ?? ids[0]} span={span} onSpan={setSpan} onSeek={seek} cursor={cursor} range={range} onRange={setRange}
            onExport={marked ? () => setDialog('export') : null} onHold={marked ? () => setDialog('hold') : null}
          />
        )}
        {deck && <Timeline channels={names} span={span} onSpan={setSpan} cursor={cursor} playing={deck.playing} range={range} onSeek={seek} onHover={hover} thumb={thumb} />}
      </div>
      {dialog === 'export' && marked && <ExportDialog channels={names} {...marked} onClose={() => setDialog(null)} />}
      {dialog === 'hold' && marked && <HoldDialog channels={names} {...marked} onClose={() => setDialog(null)} />}
    </div>
  )
}

function useNames(ids: string[]): { id: string; name: string }[] {
  const answers = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['channels', id],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get<Channel>(`channels/${id}`, undefined, signal),
      staleTime: 30_000,
    })),
  })
  return ids.map((id, index) => ({ id, name: answers[index]?.data?.name ?? id }))
}

/** Thumbnails while the pointer moves over the timeline: at most six a second are asked for. */
function useThumbs(deck: Deck | null, chosen: number, clear: (thumb: Blob | null) => void): (at: number | null) => void {
  const askedAt = useRef(0)
  const timer = useRef<number | undefined>(undefined)
  return useCallback(
    (at) => {
      window.clearTimeout(timer.current)
      if (at === null) {
        clear(null)
        return
      }
      const wait = Math.max(0, askedAt.current + 160 - performance.now())
      timer.current = window.setTimeout(() => {
        askedAt.current = performance.now()
        deck?.member(chosen)?.thumb(at)
      }, wait)
    },
    [deck, chosen, clear],
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
