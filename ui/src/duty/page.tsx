import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useCallback, useMemo, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Closure, Sign, Tow } from '../api/types'
import { boxOf } from '../fleet/track'
import { More } from '../parts/more'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { stamp } from '../parts/times'
import { IncidentList, useIncidents } from '../traffic/incidents'
import { Legend } from '../traffic/legend'
import { JamList } from '../traffic/lists'
import { RoadMap } from '../traffic/map'
import { asked, fitted, type Point, type Size, type View, written } from '../traffic/view'
import { t, useLanguage } from '../words'
import { SignForm } from './place'
import { SignList } from './signs'
import { Suggestions } from './suggestions'
import { TowForm, TowList, TowsOver, useTows } from './tows'

const LIVE = 10_000
const NEAR = 2e-5
const NOWHERE: View = { longitude: 105, latitude: 34, scale: 0.03 }
const NO_CLOSURES: Closure[] = []
const NO_TOWS: Tow[] = []

/** What the traffic police have before them: jams, incidents, closures and works, tows, and what stands on the signs. */
export function DutyPage() {
  useLanguage()
  const queries = useQueryClient()
  const mayShow = useMay('sign.show')
  const mayManage = useMay('sign.manage')
  const mayChange = useMay('traffic.change')
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [chosenView, setView] = useState<View | null>(null)
  const [chosen, setChosen] = useState('')
  const [edited, setEdited] = useState<Sign | 'new' | null>(null)
  const [place, setPlace] = useState('')
  const [calling, setCalling] = useState(false)

  const signs = usePages(['signs', 'list'], 'signs', { limit: 500 }, LIVE)
  const proposed = useQuery({ queryKey: ['signs', 'suggestions'], enabled: mayShow, refetchInterval: LIVE, queryFn: ({ signal }) => api.get('sign-suggestions', { signal }) })
  const incidents = useIncidents()
  const tows = useTows()
  const jams = useQuery({ queryKey: ['traffic', 'jams'], refetchInterval: LIVE, retry: false, queryFn: ({ signal }) => api.get('traffic/jams', { signal }) })
  const closures = useQuery({ queryKey: ['traffic', 'closures'], refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/closures', { query: { limit: 200 }, signal }) })
  const network = useQuery({ queryKey: ['traffic', 'network'], retry: false, refetchInterval: 60_000, queryFn: ({ signal }) => api.get('traffic/network', { signal }) })
  const all = signs.rows
  const closed = closures.data?.items ?? NO_CLOSURES

  const whole = useMemo(() => {
    const [west, south, east, north] = network.data?.bounds ?? []
    if (size.width === 0) return null
    if (west !== undefined && south !== undefined && east !== undefined && north !== undefined) return fitted({ west, south, east, north }, size)
    const box = boxOf([...all.map((each): Point => [each.longitude, each.latitude]), ...closed.map(placeOf)])
    return box ? fitted(box, size) : null
  }, [network.data, all, closed, size])
  const view = chosenView ?? whole ?? NOWHERE
  const box = size.width > 0 && view.scale < 1e-3 ? asked(view, size) : null
  const boxText = box ? [box.west, box.south, box.east, box.north].map((each) => each.toFixed(6)).join(',') : ''
  // Without a road network there is a map without roads.
  const roads = useQuery({
    queryKey: ['traffic', 'conditions', boxText], enabled: boxText !== '', retry: false, refetchInterval: LIVE, placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get('traffic/conditions', { query: { box: boxText, everything: true, limit: 3000 }, signal }),
  })
  const scene = useMemo(
    () => ({
      roads: roads.data?.features ?? [], jams: jams.data?.items ?? [], incidents: incidents.data?.items ?? [], closures: closed, vehicles: [], ways: [], chosen: 0, from: null, to: null, draft: [],
      places: [
        ...all.map((each) => ({ name: each.name, place: [each.longitude, each.latitude] as const })),
        ...(tows.data?.items ?? NO_TOWS).map((each) => ({ name: `${t('tow.short')}${each.plate && ` ${each.plate}`}`, place: [each.longitude, each.latitude] as const })),
      ],
    }),
    [roads.data, jams.data, incidents.data, closed, all, tows.data],
  )
  const look = useCallback((point: Point) => setView((now) => ({ scale: Math.min((now ?? whole)?.scale ?? NEAR, NEAR), longitude: point[0], latitude: point[1] })), [whole])
  const pick = useCallback((point: Point) => setPlace(written(point)), [])
  const renew = () => queries.invalidateQueries({ queryKey: ['signs'] })
  const edit = (sign: Sign | 'new') => {
    setPlace(sign === 'new' ? '' : written([sign.longitude, sign.latitude]))
    setEdited(sign)
  }
  const lookAt = (id: string) => {
    const sign = all.find((each) => each.id === id)
    if (sign) look([sign.longitude, sign.latitude])
  }
  const ideas = proposed.data?.items ?? []

  return (
    <div className="split traffic">
      <div className="side duty-side">
        <h1 className="hidden-text">{t('page.duty')}</h1>
        {calling ? (
          <TowForm place={place} onPlace={setPlace} onDone={() => setCalling(false)} />
        ) : edited ? (
          <SignForm key={edited === 'new' ? 'new' : edited.id} sign={edited === 'new' ? undefined : edited} place={place} onPlace={setPlace} onDone={() => setEdited(null)} onRenew={renew} />
        ) : (
          <>
            {ideas.length > 0 && (
              <section>
                <h2>{t('duty.proposed', { n: ideas.length })}</h2>
                <Suggestions items={ideas} onLook={lookAt} onRenew={renew} />
              </section>
            )}
            <section>
              <h2>{t('sign.list', { n: signs.more ? `${all.length}+` : all.length })}<span className="grow" />{mayManage && <Button size="small" onClick={() => edit('new')}>{t('sign.add')}</Button>}</h2>
              {signs.error && <ProblemNote error={signs.error} retry={signs.refetch} />}
              {!signs.loading && !signs.error && all.length === 0 && <p className="quiet">{t('sign.none')}</p>}
              <SignList signs={all} chosen={chosen} onChoose={(sign) => setChosen((now) => (now === sign.id ? '' : sign.id))} onLook={look} onChange={edit} onRenew={renew} />
              <More more={signs.more} />
            </section>
            {!incidents.error && (
              <section>
                <h2>{t('incident.list', { n: incidents.data?.items.length ?? 0 })}</h2>
                <IncidentList incidents={incidents.data?.items} onLook={look} />
              </section>
            )}
            <section>
              <h2>
                {t('tow.list', { n: tows.data?.next ? `${tows.data.items.length}+` : (tows.data?.items.length ?? 0) })}<span className="grow" />
                {mayChange && <Button size="small" onClick={() => { setPlace(''); setCalling(true) }}>{t('tow.call')}</Button>}
              </h2>
              {tows.error && <ProblemNote error={tows.error} retry={() => void tows.refetch()} />}
              <TowList tows={tows.data?.items ?? NO_TOWS} onLook={look} />
              <TowsOver onLook={look} />
            </section>
            <section>
              <h2>{t('traffic.jams', { n: jams.error ? '–' : (jams.data?.items.length ?? 0) })}</h2>
              {jams.error ? <p className="quiet" role="status">{t('duty.noJams', { why: sentence(jams.error) })}</p> : <JamList jams={jams.data?.items} onLook={look} />}
            </section>
            <section>
              <h2>{t('duty.closures', { n: closed.length })}</h2>
              {closures.error && <ProblemNote error={closures.error} retry={() => void closures.refetch()} />}
              <ClosureRows closures={closed} onLook={look} />
              {closures.data?.next && <p className="quiet">{t('traffic.newestOnly', { n: closed.length })}</p>}
            </section>
          </>
        )}
      </div>
      <div className="traffic-work">
        <RoadMap view={view} onView={setView} onSize={setSize} onPick={pick} onFit={() => setView(null)} scene={scene} />
        <Legend leftOut={roads.data?.left_out ?? 0} least={roads.data?.least ?? 1} roads={scene.roads} credit={network.data?.credit ?? ''} />
      </div>
    </div>
  )
}

const placeOf = (closure: Closure): Point => [closure.line.coordinates[0]?.[0] ?? 0, closure.line.coordinates[0]?.[1] ?? 0]

function ClosureRows({ closures, onLook }: { closures: Closure[]; onLook: (place: Point) => void }) {
  if (closures.length === 0) return <p className="quiet">{t('traffic.noClosure')}</p>
  const now = new Date().toISOString()
  return (
    <ul className="traffic-list">
      {closures.map((one) => (
        <li key={one.id}>
          <button type="button" className="traffic-way" onClick={() => onLook(placeOf(one))}>
            <b>{t(`closure.${one.kind}`)}</b>
            <span>{one.reason}</span>
            <span className="quiet">{one.start > now && `${t('duty.from', { at: stamp(one.start) })} · `}{one.end ? t('traffic.until', { at: stamp(one.end) }) : t('traffic.untilOpened')} · {one.created_by}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
