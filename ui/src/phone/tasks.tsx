import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Alarm, RoadIncident } from '../api/types'
import { Age } from '../parts/age'
import { ProblemNote } from '../parts/problem'
import { t } from '../words'
import { type Fix, metres } from './shift'

const LIVE = 10_000
const SHOWN = 20

interface Placed {
  longitude: number | null
  latitude: number | null
}

/** What is to be done: open alarms, and incidents, the nearest first. */
export function Tasks({ place }: { place: Fix | null }) {
  const queries = useQueryClient()
  const maySeeRoads = useMay('traffic.see')
  const mayTake = useMay('alarm.acknowledge')
  const [problem, setProblem] = useState<unknown>(null)
  const alarms = useQuery({ queryKey: ['alarms', 'phone'], refetchInterval: LIVE, queryFn: ({ signal }) => api.get('alarms', { query: { state: 'raised', limit: SHOWN }, signal }) })
  const incidents = useQuery({ queryKey: ['traffic', 'incidents'], enabled: maySeeRoads, retry: false, refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/incidents', { signal }) })
  const say = async (work: Promise<unknown>, key: string) => {
    try {
      await work
      setProblem(null)
    } catch (error) {
      setProblem(error)
    }
    await queries.invalidateQueries({ queryKey: [key] })
  }
  const near = <T extends Placed>(items: T[]): T[] => (place ? [...items].sort((one, other) => away(one, place) - away(other, place)) : items)
  const open = near(alarms.data?.items ?? [])
  return (
    <>
      <ProblemNote error={problem} />
      <section className="phone-card" aria-label={t('phone.tasks')}>
        <h2>{t('phone.tasks')}</h2>
        {open.length === 0 && <p className="quiet">{t('phone.noTask')}</p>}
        <ul>
          {open.map((one: Alarm) => (
            <li key={one.id}>
              <b className={`p${one.priority}`}>{one.kind}</b> <span>{one.name}</span>
              <span className="quiet"><Age at={one.at} /><Away place={place} thing={one} /></span>
              {mayTake && <button type="button" className="phone-key" onClick={() => void say(api.post('alarms/{alarm}/acknowledge', { path: { alarm: one.id } }), 'alarms')}>{t('phone.take')}</button>}
            </li>
          ))}
        </ul>
      </section>
      {incidents.data && (
        <section className="phone-card" aria-label={t('phone.incidents')}>
          <h2>{t('phone.incidents')}</h2>
          {incidents.data.items.length === 0 && <p className="quiet">{t('incident.none')}</p>}
          <ul>
            {near(incidents.data.items).slice(0, SHOWN).map((one: RoadIncident) => (
              <li key={one.id}>
                <b className={one.kind === 'accident' ? 'p1' : 'p2'}>◆ {t(`incident.${one.kind}`)}</b> <span>{one.area_name}</span>
                <span className="quiet">{t('incident.vehicles', { n: one.vehicles })} · <Age at={one.began_at} /><Away place={place} thing={one} />{one.state === 'confirmed' && ` · ${t('incident.confirmedBy', { name: one.decided_by })}`}</span>
                {one.judgeable && (
                  <span className="phone-pair">
                    {(['confirmed', 'dismissed'] as const).filter((verdict) => verdict !== one.state).map((verdict) => (
                      <button key={verdict} type="button" className="phone-key" onClick={() => void say(api.post('traffic/incidents/{road_incident}/verdict', { path: { road_incident: one.id }, body: { verdict, note: '' } }), 'traffic')}>
                        {t(`incident.say.${verdict}`)}
                      </button>
                    ))}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function Away({ place, thing }: { place: Fix | null; thing: Placed }) {
  if (!place || thing.longitude === null || thing.latitude === null) return null
  const far = away(thing, place)
  return <> · {t('phone.away', { n: far < 1_000 ? t('phone.metres', { n: Math.round(far / 10) * 10 }) : t('traffic.km', { n: (far / 1_000).toFixed(1) }) })}</>
}

/** What lies nowhere comes last. */
function away({ longitude, latitude }: Placed, place: Fix): number {
  return longitude === null || latitude === null ? Number.MAX_VALUE : metres(place, { longitude, latitude })
}
