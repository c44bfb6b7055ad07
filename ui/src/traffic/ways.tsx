import { Button, Checkbox, Input, Select } from 'antd'
import type { Way } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { shortClock, zoneName } from '../parts/times'
import { t } from '../words'
import { money } from './money'
import { VEHICLES } from './tollform'
import { read } from './view'

/** Who drives, and whether they would pay. */
export interface Driver {
  vehicle: (typeof VEHICLES)[number]
  avoid: boolean
}

interface Props {
  from: string
  to: string
  onFrom: (text: string) => void
  onTo: (text: string) => void
  found: Way[] | undefined
  error: unknown
  busy: boolean
  chosen: number
  onChoose: (number: number) => void
  /** Where roads cost something. */
  tolled: boolean
  driver: Driver
  onDriver: (driver: Driver) => void
}

/** Ways from one place to another. */
export function Ways({ from, to, onFrom, onTo, found, error, busy, chosen, onChoose, tolled, driver, onDriver }: Props) {
  const bad = (text: string) => (text !== '' && !read(text) ? { status: 'error' as const } : {})
  const both = Boolean(read(from) && read(to))
  return (
    <div className="traffic-panel">
      <p className="quiet">{t('traffic.pickWay')}</p>
      <label>{t('traffic.from')}<Input value={from} placeholder="118.37, 31.33" {...bad(from)} onChange={(event) => onFrom(event.target.value)} /></label>
      <label>{t('traffic.to')}<Input value={to} placeholder="118.39, 31.35" {...bad(to)} onChange={(event) => onTo(event.target.value)} /></label>
      <div className="row">
        <Button size="small" disabled={!from && !to} onClick={() => { onFrom(to); onTo(from) }}>{t('traffic.swap')}</Button>
        <Button size="small" disabled={!from && !to} onClick={() => { onFrom(''); onTo('') }}>{t('traffic.clear')}</Button>
      </div>
      {tolled && (
        <div className="row">
          <Select value={driver.vehicle} onChange={(vehicle) => onDriver({ ...driver, vehicle })} options={VEHICLES.map((value) => ({ value, label: t(`counts.kind.${value}`) }))} aria-label={t('toll.vehicle')} style={{ width: 130 }} />
          <Checkbox checked={driver.avoid} onChange={(event) => onDriver({ ...driver, avoid: event.target.checked })}>{t('toll.avoid')}</Checkbox>
        </div>
      )}
      {both && error !== null && <ProblemNote error={error} />}
      {both && busy && <span className="quiet" role="status">{t('word.loading')}</span>}
      {both && !error && found && (
        <ol className="traffic-list">
          {found.map((way, number) => (
            <li key={number}>
              <button type="button" className={`traffic-way${number === chosen ? ' chosen' : ''}`} aria-pressed={number === chosen} onClick={() => onChoose(number)}>
                <b>{minutes(way.properties.seconds)}</b>
                <span>{t('traffic.km', { n: (way.properties.metres / 1000).toFixed(1) })}</span>
                <span className="quiet">{t('traffic.free', { n: minutes(way.properties.free_seconds) })}</span>
                <span className="quiet" title={zoneName()}>
                  {t('traffic.arrival', { at: shortClock(way.properties.arrival), low: shortClock(way.properties.arrival_low), high: shortClock(way.properties.arrival_high) })}
                </span>
                {way.properties.currency && <span>{t('traffic.toll', { n: money(way.properties.toll, way.properties.currency) })}</span>}
                <span className="quiet">{t('traffic.known', { n: Math.round((100 * way.properties.measured_metres) / Math.max(way.properties.metres, 1)) })}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

function minutes(seconds: number): string {
  return seconds < 90 ? t('unit.seconds', { n: Math.round(seconds) }) : t('unit.minutes', { n: Math.round(seconds / 60) })
}
