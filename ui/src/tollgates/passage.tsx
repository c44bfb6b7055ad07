import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { address, api } from '../api/client'
import type { Passage, Purpose, Reading } from '../api/types'
import { aboutSpeed } from '../parts/about'
import { ProblemNote } from '../parts/problem'
import { stamp } from '../parts/times'
import { type Key, maybe, t } from '../words'

/** A passage with what it was made of. */
export function Whole({ passage, purpose }: { passage: string; purpose: Purpose }) {
  const asked = useQuery({ queryKey: ['passages', passage, purpose], queryFn: ({ signal }) => api.get('passages/{passage}', { path: { passage }, query: { purpose }, signal }) })
  const whole = asked.data
  if (asked.error) return <ProblemNote error={asked.error} retry={() => void asked.refetch()} />
  if (!whole) return null
  return (
    <div className="column">
      {whole.shown_by.map((each) => (
        <figure key={each.number} className="column" style={{ margin: 0 }}>
          <Picture passage={passage} number={each.number} purpose={purpose} large />
          {each.kind === 'restored' && <figcaption className="quiet">{t('passage.picture.restored')}</figcaption>}
        </figure>
      ))}
      <dl className="credential">
        {whole.seen_by.map((each) => (
          <div key={`${each.source} ${each.reference}`} style={{ display: 'contents' }}>
            <dt>{t(`passage.source.${each.source}` as Key)}</dt>
            <dd>{[stamp(each.at), each.plate || t('passage.unread'), each.confidence === null ? '' : `${Math.round(each.confidence * 100)} %`, each.speed_kmh === null ? '' : `${Math.round(each.speed_kmh)} km/h`].filter(Boolean).join(' · ')}</dd>
            <span />
            {each.reading && <Basis reading={each.reading} />}
          </div>
        ))}
      </dl>
      <p className="quiet">{t('passage.until')} {stamp(whole.keep_until)}</p>
    </div>
  )
}

/** What a reading of our own leaves open: a person decides, and has to see what it could also be. */
function Basis({ reading }: { reading: Reading }) {
  const signs = reading.signs.map((each) => `${Math.round(each * 100)} %`).join(' ')
  return (
    <>
      <dt />
      <dd className="row wrap">
        {reading.doubtful && <span className="p3" title={t('passage.reading.why', { n: Math.round(reading.threshold * 100) })}>▲ {t('passage.reading.doubtful')}</span>}
        <span className="quiet" title={signs && t('passage.reading.signs', { signs })}>{t('passage.reading.sights', { n: reading.sights })}</span>
        {reading.vehicle && <span className="quiet">{t('passage.reading.vehicle', { label: reading.vehicle.label, n: Math.round(reading.vehicle.score * 100) })}</span>}
        {reading.body && <span className="quiet" title={t(`passage.body.${reading.body.found_by}` as Key)}>{bodyColour(reading.body)}</span>}
        {reading.speed && <span className="quiet" title={t('passage.reading.speedWhy', { looks: reading.speed.looks, metres: Math.round(reading.speed.metres) })}>{aboutSpeed(reading.speed.kmh, reading.speed.uncertainty_kmh)}</span>}
        {reading.restored && <span title={t('passage.reading.restoredWhy')}>{t('passage.reading.restored')} <span className="mono">{reading.restored.plate}</span> {Math.round(reading.restored.confidence * 100)} %</span>}
        {reading.others.length > 0 && <span>{t('passage.reading.others')} <span className="mono">{reading.others.join(', ')}</span></span>}
      </dd>
      <span />
    </>
  )
}

function bodyColour(body: NonNullable<Reading['body']>): string {
  if (!body.colour) return body.colour_doubt ? t('passage.colourUnknown', { why: t(`passage.doubt.${body.colour_doubt}` as Key) }) : ''
  return `${t('passage.colour')} ${colour(body.colour)} ${Math.round(body.colour_confidence * 100)} %`
}

export const colour = (name: string) => maybe(`colour.${name}`) ?? '–'

/** The words for a code of GA/T 16.4: its own, else those of its size and kind, else of its kind. */
export function vehicleClass(code: string): string {
  const found = [code, code.slice(0, 2), code.slice(0, 1)].map((part) => maybe(`vehicle.class.${part}`)).find((words) => words !== null)
  return found ?? (code || '–')
}

export const plateClass = (code: string): string => maybe(`plate.class.${code}`) ?? code
/** The vehicle's own kind, else what its plate says of it. */
export const kindOf = (row: Pick<Passage, 'vehicle_class' | 'plate_class'>): string => (row.vehicle_class || !row.plate_class ? vehicleClass(row.vehicle_class) : plateClass(row.plate_class))

const PLATE_CLASSES = ['01', '02', '51', '52', '07', '15', '16', '23', '03', '04', '06', '26', '27', '31', '32', '22', '18']
const VEHICLE_CLASSES = ['K', 'K1', 'K2', 'K3', 'K33', 'K4', 'H', 'H1', 'H2', 'H3', 'H4', 'Q', 'B', 'G', 'D', 'M']
export const plateClasses = () => PLATE_CLASSES.map((value) => ({ value, label: plateClass(value) }))
export const vehicleClasses = () => VEHICLE_CLASSES.map((value) => ({ value, label: `${value} · ${vehicleClass(value)}` }))

export const sources = (row: Passage) => row.sources.map((each) => t(`passage.source.${each}` as Key)).join(', ')

/** `?` stands for a character that nobody could read. */
export function Plate({ row }: { row: Passage }) {
  if (!row.plate) return <span className="quiet">{t('passage.unread')}</span>
  const sure = row.confidence === null ? '' : `${t('passage.confidence')} ${Math.round(row.confidence * 100)} %`
  return (
    <span className="row">
      <span className="mono" title={sure}>{row.plate}</span>
      {row.near_miss && <span className="mark quiet" title={t('search.nearMissHint', { n: row.distance })}>≈ {t('search.nearMiss')}</span>}
    </span>
  )
}

export function When({ row }: { row: Passage }) {
  return row.clock_doubtful ? <span title={t('passage.doubtful')}>▲ {stamp(row.at)}</span> : <span>{stamp(row.at)}</span>
}

export function Picture({ passage, number, purpose, large = false }: { passage: string; number: number; purpose: Purpose; large?: boolean }) {
  const [gone, setGone] = useState(false)
  if (gone) return <span className="quiet">–</span>
  const source = address('passages/{passage}/pictures/{number}', { path: { passage, number }, query: { purpose } })
  return <img className={large ? '' : 'alarm-picture'} style={large ? { maxWidth: '100%' } : undefined} loading="lazy" src={source} alt={t('passage.picture')} onError={() => setGone(true)} />
}
