import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Tabs } from 'antd'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { api, Problem } from '../api/client'
import { useMay } from '../api/session'
import type { Device, Toll, Way } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { t, useLanguage } from '../words'
import { Closures } from './closures'
import { Counts } from './counts'
import type { Bounded, Vehicle } from './draw'
import { IncidentList, useIncidents } from './incidents'
import { Legend } from './legend'
import { JamList, NetworkFacts, VehicleList } from './lists'
import { RoadMap } from './map'
import { TravelTimes } from './times'
import { Tolls, type TollShape } from './tolls'
import { asked, fitted, type Point, read, type Size, type View, written } from './view'
import { type Driver, Ways } from './ways'

/** What a click on the map means. */
export type Picking = 'way' | 'closure'

const LIVE = 10_000
const EMPTY: never[] = []

/** Roads with the speeds of now, jams, closures, vehicles, and ways from one place to another. */
export function TrafficPage() {
  useLanguage()
  const maySeeVehicles = useMay('device.see')
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [chosenView, setView] = useState<View | null>(null)
  const [tab, setTab] = useState('ways')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [draft, setDraft] = useState<Point[]>([])
  const [chosen, setChosen] = useState(0)
  const [driver, setDriver] = useState<Driver>({ vehicle: 'car', avoid: false })
  const [shape, setShape] = useState<TollShape>('gantries')
  const [edited, setEdited] = useState<Toll | 'new' | null>(null)
  const [sketch, setSketch] = useState<Point[]>([])

  const network = useQuery({
    queryKey: ['traffic', 'network'], queryFn: ({ signal }) => api.get('traffic/network', { signal }), retry: false,
    refetchInterval: (query) => (query.state.error ? 3_000 : 60_000),
  })
  const bounds = network.data?.bounds
  const whole = useMemo(() => {
    const [west = 0, south = 1, east = 1, north = 2] = bounds ?? []
    return bounds && size.width > 0 ? fitted({ west, south, east, north }, size) : null
  }, [bounds, size])
  const view = chosenView ?? whole
  const box = view && size.width > 0 ? asked(view, size) : null
  const boxText = box ? [box.west, box.south, box.east, box.north].map((each) => each.toFixed(6)).join(',') : ''
  const conditions = useQuery({
    queryKey: ['traffic', 'conditions', boxText], enabled: boxText !== '', refetchInterval: LIVE, placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get('traffic/conditions', { query: { box: boxText, everything: true, limit: 3000 }, signal }),
  })
  const jams = useQuery({ queryKey: ['traffic', 'jams'], queryFn: ({ signal }) => api.get('traffic/jams', { signal }), enabled: Boolean(bounds), refetchInterval: LIVE })
  const incidents = useIncidents(Boolean(bounds))
  const closures = useQuery({ queryKey: ['traffic', 'closures'], queryFn: ({ signal }) => api.get('traffic/closures', { query: { limit: 200 }, signal }), refetchInterval: LIVE })
  const tolls = usePages(['traffic', 'tolls'], 'traffic/tolls', {}, 30_000)
  const devices = useQuery({
    queryKey: ['devices', 'vehicles'], enabled: maySeeVehicles, refetchInterval: 5_000,
    queryFn: ({ signal }) => api.get('devices', { query: { kind: 'jt808', limit: 500 }, signal }),
  })
  const [start, end] = [read(from), read(to)]
  const ways = useQuery({
    queryKey: ['traffic', 'ways', from, to, driver], enabled: Boolean(start && end && bounds), retry: false, refetchInterval: 30_000,
    queryFn: ({ signal }) => api.get('routes', { query: { from: start!.join(','), to: end!.join(','), vehicle: driver.vehicle, ...(driver.avoid ? { avoid: 'tolls' as const } : {}) }, signal }),
  })
  useEffect(() => setChosen(0), [from, to, driver])

  const vehicles = useMemo(() => (devices.data?.items ?? []).flatMap(vehicleOf), [devices.data])
  const shownWays: Way[] = (tab === 'ways' && start && end && ways.data?.features) || EMPTY
  const scene = useMemo(
    () => ({
      roads: conditions.data?.features ?? [], jams: jams.data?.items ?? [], closures: closures.data?.items ?? [], incidents: incidents.data?.items ?? [], vehicles,
      ways: shownWays, chosen, from: tab === 'ways' ? read(from) : null, to: tab === 'ways' ? read(to) : null, draft: tab === 'closures' ? draft : [],
      tolls: tolls.rows, fences: edited ? sketched(sketch, shape) : [],
    }),
    [conditions.data, jams.data, incidents.data, closures.data, vehicles, shownWays, chosen, from, to, draft, tab, tolls.rows, edited, sketch, shape],
  )

  const pick = useCallback(
    (point: Point) => {
      if (edited) setSketch((points) => [...points, point])
      else if (tab === 'closures') setDraft((points) => [...points, point])
      else {
        setTab('ways')
        if (!from || to) {
          setFrom(written(point))
          setTo('')
        } else setTo(written(point))
      }
    },
    [tab, edited, from, to],
  )
  const edit = (toll: Toll | 'new' | null) => {
    setSketch([])
    if (toll && toll !== 'new') setShape(toll.border.length > 0 ? 'border' : 'gantries')
    setEdited(toll)
  }
  const turn = (next: string) => {
    edit(null)
    setTab(next)
  }
  const look = useCallback((place: Point) => setView((now) => ({ scale: Math.min((now ?? whole)?.scale ?? 2e-5, 2e-5), longitude: place[0], latitude: place[1] })), [whole])

  if (network.error instanceof Problem && !network.data) {
    return (
      <div className="page">
        <div className="page-head"><h1>{t('page.traffic')}</h1></div>
        <div className="empty" role="status"><h2>{t(network.error.code === 'traffic_loading' ? 'word.loading' : 'traffic.none')}</h2><span>{sentence(network.error)}</span></div>
        <section className="panel" aria-label={t('times.title')}><h2>{t('times.title')}</h2><TravelTimes /></section>
        <section className="panel" aria-label={t('counts.title')}><h2>{t('counts.title')}</h2><Counts /></section>
      </div>
    )
  }
  const tabs = [
    { key: 'ways', label: t('traffic.ways'), children: <Ways from={from} to={to} onFrom={setFrom} onTo={setTo} found={ways.data?.features} error={ways.error} busy={ways.isFetching && !ways.data} chosen={chosen} onChoose={setChosen} tolled={tolls.rows.length > 0} driver={driver} onDriver={setDriver} /> },
    { key: 'jams', label: t('traffic.jams', { n: jams.data?.items.length ?? 0 }), children: <JamList jams={jams.data?.items} onLook={look} /> },
    { key: 'incidents', label: t('incident.list', { n: incidents.data?.items.length ?? 0 }), children: <div className="traffic-panel"><span className="quiet">{t('incident.hint')}</span><IncidentList incidents={incidents.data?.items} onLook={look} /></div> },
    { key: 'times', label: t('times.short'), children: <TravelTimes onLook={look} /> },
    { key: 'counts', label: t('counts.short'), children: <Counts onLook={look} /> },
    { key: 'closures', label: t('traffic.closures'), children: <Closures closures={closures.data?.items} more={Boolean(closures.data?.next)} draft={draft} onDraft={setDraft} onLook={look} /> },
    { key: 'tolls', label: t('toll.short'), children: <Tolls tolls={tolls.loading ? undefined : tolls.rows} currency={tolls.first?.currency} error={tolls.error} more={tolls.more} edited={edited} onEdit={edit} shape={shape} onShape={setShape} draft={sketch} onDraft={setSketch} onLook={look} /> },
    ...(maySeeVehicles ? [{ key: 'vehicles', label: t('traffic.vehicles'), children: <VehicleList vehicles={vehicles} onLook={look} /> }] : []),
    { key: 'network', label: t('traffic.network'), children: <NetworkFacts network={network.data} /> },
  ]
  return (
    <div className="split traffic">
      <div className="side traffic-side">
        <h1 className="hidden-text">{t('page.traffic')}</h1>
        <Tabs className="page-tabs" size="small" tabBarGutter={8} activeKey={tab} onChange={turn} items={tabs} destroyOnHidden />
      </div>
      <div className="traffic-work">
        {conditions.error && <ProblemNote error={conditions.error} retry={() => void conditions.refetch()} />}
        <RoadMap view={view ?? { longitude: 0, latitude: 1, scale: 1e-4 }} onView={setView} onSize={setSize} onPick={pick} onFit={() => setView(null)} scene={scene} />
        <Legend leftOut={conditions.data?.left_out ?? 0} least={conditions.data?.least ?? 1} roads={scene.roads} credit={network.data?.credit ?? ''} />
      </div>
    </div>
  )
}

/** The toll that is being drawn. */
function sketched(draft: Point[], shape: TollShape): Bounded[] {
  if (shape === 'border') return draft.length > 0 ? [{ kind: 'polygon', points: draft, metres: 0, name: '', chosen: true }] : []
  return draft.map((point) => ({ kind: 'circle', points: [point], metres: 10, name: '', chosen: true }))
}

function vehicleOf(device: Device): Vehicle[] {
  const place = device.position
  if (!place) return []
  return [{ id: device.id, name: device.name, place: [place.longitude, place.latitude], direction: place.direction }]
}
