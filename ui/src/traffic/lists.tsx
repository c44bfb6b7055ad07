import type { Jam, RoadNetwork } from '../api/types'
import { Age } from '../parts/age'
import { stamp } from '../parts/times'
import { maybe, t } from '../words'
import type { Vehicle } from './draw'
import { named } from './named'
import type { Point } from './view'

const kilometres = (metres: number) => t('traffic.km', { n: (metres / 1000).toFixed(1) })

/** Jams that last; a click shows the place. */
export function JamList({ jams, onLook }: { jams: Jam[] | undefined; onLook: (place: Point) => void }) {
  if (!jams?.length) return <div className="traffic-panel quiet">{t('traffic.noJam')}</div>
  return (
    <ul className="traffic-list">
      {jams.map((jam) => (
        <li key={jam.id}>
          <button type="button" className="traffic-way" onClick={() => onLook([jam.longitude, jam.latitude])}>
            <b className="p1">▲ {t('traffic.kmh', { n: Math.round(jam.speed_kmh) })}</b>
            <span>{kilometres(jam.metres)}</span>
            <span className="quiet">{t('traffic.since')} <Age at={jam.began_at} />{jam.area_name && ` · ${jam.area_name}`}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Vehicles that said where they are. */
export function VehicleList({ vehicles, onLook }: { vehicles: Vehicle[]; onLook: (place: Point) => void }) {
  if (vehicles.length === 0) return <div className="traffic-panel quiet">{t('traffic.noVehicle')}</div>
  return (
    <ul className="traffic-list">
      {vehicles.map((one) => (
        <li key={one.id}><button type="button" className="traffic-way" onClick={() => onLook(one.place)}><b>{one.name}</b></button></li>
      ))}
    </ul>
  )
}

/** Where the map is from, and what was left out of it. */
export function NetworkFacts({ network }: { network: RoadNetwork | undefined }) {
  if (!network) return null
  const dropped = Object.entries(network.dropped)
  return (
    <dl className="traffic-panel traffic-facts">
      <dt>{t('word.name')}</dt><dd>{named(network.label)}</dd>
      <dt>{t('traffic.version')}</dt><dd>{network.version}</dd>
      <dt>{t('traffic.imported')}</dt><dd>{stamp(network.imported_at)}</dd>
      <dt>{t('traffic.size')}</dt><dd>{t('traffic.sizes', { km: network.kilometres.toFixed(1), edges: network.edges, nodes: network.nodes })}</dd>
      <dt>{t('traffic.islands')}</dt><dd>{network.islands}</dd>
      <dt>{t('traffic.dropped')}</dt>
      <dd>{dropped.length === 0 ? '–' : dropped.map(([why, n]) => <div key={why}>{maybe(`traffic.dropped.${why}`) ?? why}: {n}</div>)}</dd>
      {network.credit && <><dt>{t('traffic.credit')}</dt><dd>{named(network.credit)}</dd></>}
    </dl>
  )
}
