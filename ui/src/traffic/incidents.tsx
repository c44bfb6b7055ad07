import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { api } from '../api/client'
import type { RoadIncident } from '../api/types'
import { Age } from '../parts/age'
import { sentence } from '../parts/problem'
import { t } from '../words'
import type { Point } from './view'

const LIVE = 10_000
const VERDICTS = ['confirmed', 'dismissed', 'known_stop', 'cleared'] as const

/** Vehicles that stand where others drive, as they are now. */
export function useIncidents(enabled = true) {
  return useQuery({ queryKey: ['traffic', 'incidents'], enabled, retry: false, refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/incidents', { signal }) })
}

/** A click shows the place; whoever may change traffic says what it is. */
export function IncidentList({ incidents, onLook }: { incidents: RoadIncident[] | undefined; onLook: (place: Point) => void }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  if (!incidents?.length) return <p className="quiet">{t('incident.none')}</p>
  const say = async (one: RoadIncident, verdict: (typeof VERDICTS)[number]) => {
    try {
      await api.post('traffic/incidents/{road_incident}/verdict', { path: { road_incident: one.id }, body: { verdict, note: '' } })
    } catch (failed) {
      void message.error(sentence(failed))
    }
    await queries.invalidateQueries({ queryKey: ['traffic', 'incidents'] })
  }
  return (
    <ul className="traffic-list">
      {incidents.map((one) => (
        <li key={one.id}>
          <button type="button" className="traffic-way" onClick={() => onLook([one.longitude, one.latitude])}>
            <b className={one.kind === 'accident' ? 'p1' : 'p2'}>◆ {t(`incident.${one.kind}`)}</b>
            <span>{t('incident.vehicles', { n: one.vehicles })}</span>
            <span className="quiet">{t('traffic.since')} <Age at={one.began_at} />{one.area_name && ` · ${one.area_name}`}{one.state === 'confirmed' && ` · ${t('incident.confirmedBy', { name: one.decided_by })}`}</span>
          </button>
          {one.judgeable && (
            <div className="row incident-verdicts">
              {VERDICTS.filter((verdict) => verdict !== one.state && !(verdict === 'known_stop' && one.kind === 'accident')).map((verdict) => (
                <Button key={verdict} size="small" onClick={() => void say(one, verdict)}>{t(`incident.say.${verdict}`)}</Button>
              ))}
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}
