import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Tabs } from 'antd'
import { useCallback, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Fence } from '../api/types'
import { ProblemNote } from '../parts/problem'
import type { Bounded, Trail, Vehicle } from '../traffic/draw'
import { RoadMap } from '../traffic/map'
import { asked, fitted, METRES_OF_DEGREE, type Point, type Size, type View } from '../traffic/view'
import { t, useLanguage } from '../words'
import { type Draft, Fences, withPoint } from './fences'
import { Player } from './player'
import { Replay } from './replay'
import { boxOf, type Journey, momentOf, spanOf } from './track'
import { Vehicles } from './vehicles'

const LIVE = 5_000
const NOWHERE: View = { longitude: 105, latitude: 34, scale: 0.03 }
const NEAR = 2e-5
const EMPTY: never[] = []
/** What tells where it is. */
const KINDS = ['jt808', 'http', 'ais']

/** Vehicles on the map: what they are told, where they were, and the fences they are held against. */
export function FleetPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const tab = query.get('tab') ?? 'vehicles'
  const mayReplay = useMay('vehicle.replay')
  const maySeeFences = useMay('fence.see')
  const maySeeRoads = useMay('traffic.see')
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [chosenView, setView] = useState<View | null>(null)
  const [chosen, setChosen] = useState('')
  const [replayed, setReplayed] = useState<string[]>([])
  const [journeys, setJourneys] = useState<Journey[]>([])
  const [at, setAt] = useState(0)
  const [draft, setDraft] = useState<Draft | null>(null)
  const [fence, setFence] = useState('')

  const devices = useQuery({
    queryKey: ['devices', 'moving'], refetchInterval: LIVE,
    queryFn: async ({ signal }) => {
      const parts = await Promise.all(KINDS.map((kind) => api.get('devices', { query: { kind, limit: 500 }, signal })))
      return { items: parts.flatMap((part) => part.items) }
    },
  })
  const fences = useQuery({ queryKey: ['fences'], enabled: maySeeFences, refetchInterval: 30_000, queryFn: ({ signal }) => api.get('fences', { query: { limit: 500 }, signal }) })
  const all = devices.data?.items ?? EMPTY
  const places = useMemo(() => placesOf(tab, journeys, fences.data?.items, all.flatMap((each): Point[] => (each.position ? [[each.position.longitude, each.position.latitude]] : []))), [tab, journeys, fences.data, all])
  const whole = useMemo(() => {
    const box = boxOf(places)
    return box && size.width > 0 ? fitted(box, size) : null
  }, [places, size])
  const view = chosenView ?? whole ?? NOWHERE
  const box = size.width > 0 && view.scale < 1e-3 ? asked(view, size) : null
  const boxText = box ? [box.west, box.south, box.east, box.north].map((each) => each.toFixed(6)).join(',') : ''
  // Without a road network there is a map without roads.
  const roads = useQuery({
    queryKey: ['traffic', 'conditions', boxText], enabled: maySeeRoads && boxText !== '', retry: false, placeholderData: keepPreviousData, staleTime: 60_000,
    queryFn: ({ signal }) => api.get('traffic/conditions', { query: { box: boxText, everything: true, limit: 3000 }, signal }),
  })

  const vehicles = useMemo((): Vehicle[] => {
    if (tab === 'replay' && journeys.length > 0) {
      return journeys.flatMap((each) => {
        const moment = momentOf(each, at)
        return moment ? [{ id: each.id, name: each.name, place: moment.place, direction: moment.direction }] : []
      })
    }
    return all.flatMap((each) => (each.position ? [{ id: each.id, name: each.name, place: [each.position.longitude, each.position.latitude] as const, direction: each.position.direction, chosen: tab === 'vehicles' && each.id === chosen }] : []))
  }, [tab, journeys, at, all, chosen])
  const bounded = useMemo(() => {
    const known: Bounded[] = (fences.data?.items ?? []).filter((each) => (each.enabled || each.id === fence) && each.id !== draft?.fence?.id).map((each) => ({ kind: each.kind, points: pointsOf(each), metres: each.metres, name: each.name, chosen: tab === 'fences' && each.id === fence }))
    return tab === 'fences' && draft ? [...known, { ...draft, name: '', chosen: true }] : known
  }, [fences.data, fence, draft, tab])
  const trails = useMemo((): Trail[] => (tab === 'replay' ? journeys.map(trailOf) : []), [tab, journeys])
  const scene = useMemo(
    () => ({ roads: roads.data?.features ?? [], jams: [], closures: [], vehicles, ways: [], chosen: 0, from: null, to: null, draft: [], fences: bounded, trails }),
    [roads.data, vehicles, bounded, trails],
  )

  const look = useCallback((place: Point) => setView((now) => ({ scale: Math.min((now ?? whole)?.scale ?? NEAR, NEAR), longitude: place[0], latitude: place[1] })), [whole])
  const pick = useCallback((point: Point) => setDraft((now) => (now ? withPoint(now, point) : now)), [])
  const turn = (key: string) => setQuery({ tab: key }, { replace: true })
  const take = (found: Journey[]) => {
    setJourneys(found)
    setAt(spanOf(found)?.start ?? 0)
    setView(null)
  }
  const choose = (one: Fence) => {
    setFence(one.id)
    const room = one.metres / METRES_OF_DEGREE
    const around = boxOf(pointsOf(one).flatMap(([x, y]): Point[] => [[x - room, y - room], [x + room, y + room]]))
    if (around && size.width > 0) setView(fitted(around, size))
  }

  const tabs = [
    {
      key: 'vehicles', label: t('fleet.vehicles'),
      children: (
        <Vehicles
          devices={devices.data?.items} chosen={chosen} onChoose={setChosen} onLook={look} mayReplay={mayReplay}
          onReplay={(id) => {
            setReplayed([id])
            turn('replay')
          }}
        />
      ),
    },
    ...(mayReplay ? [{ key: 'replay', label: t('fleet.replay'), children: <Replay devices={all} chosen={replayed} onChosen={setReplayed} journeys={journeys} onJourneys={take} onSeek={setAt} /> }] : []),
    ...(maySeeFences ? [{ key: 'fences', label: t('fleet.fences'), children: <Fences fences={fences.data?.items} devices={all} draft={draft} onDraft={setDraft} chosen={fence} onChoose={choose} /> }] : []),
  ]
  return (
    <div className="split traffic">
      <div className="side traffic-side">
        <h1 className="hidden-text">{t('page.vehicles')}</h1>
        <Tabs className="page-tabs" size="small" tabBarGutter={14} activeKey={tab} onChange={turn} items={tabs} destroyOnHidden />
      </div>
      <div className="traffic-work">
        {devices.error && <ProblemNote error={devices.error} retry={() => void devices.refetch()} />}
        <RoadMap view={view} onView={setView} onSize={setSize} onPick={pick} onFit={() => setView(null)} scene={scene} />
        {tab === 'replay' && <Player journeys={journeys} at={at} onAt={setAt} />}
      </div>
    </div>
  )
}

const pointsOf = (fence: Fence): Point[] => fence.points.map(([longitude = 0, latitude = 0]) => [longitude, latitude])

/** What is to be seen when nobody moved the map. */
function placesOf(tab: string, journeys: Journey[], fences: Fence[] | undefined, now: Point[]): Point[] {
  const driven = tab === 'replay' ? journeys.flatMap((each) => each.way.steps.map((step): Point => [step.longitude, step.latitude])) : []
  if (driven.length > 0) return driven
  const fenced = tab === 'fences' ? (fences ?? []).flatMap(pointsOf) : []
  return [...now, ...fenced]
}

function trailOf(journey: Journey): Trail {
  return {
    name: journey.name,
    steps: journey.way.steps.map((step) => ({ place: [step.longitude, step.latitude], gap: step.gap })),
    stands: journey.way.stands.map((stand) => [stand.longitude, stand.latitude]),
  }
}
