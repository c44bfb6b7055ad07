import type { Violation } from '../api/types'
import { aboutSpeed } from '../parts/about'
import { stamp } from '../parts/times'
import { type Key, maybe, t } from '../words'

export const kindWords = (one: Violation) => (one.kind === 'other' && one.words ? one.words : t(`violation.kind.${one.kind}` as Key))

export function State({ one }: { one: Violation }) {
  const look = { proposed: 'p3', reviewed: 'p4', confirmed: '', void: 'quiet' }[one.state]
  return <span className={look}>{t(`violation.state.${one.state}` as Key)}</span>
}

/** What keeps anybody from confirming it. */
export function Lacks({ one }: { one: Violation }) {
  if (one.unfit.length === 0) return null
  return <span className="p2">▲ {one.unfit.map((each) => t(`violation.lacks.${each}` as Key)).join(t('violation.and'))}</span>
}

/** A speed with how far it may be off. */
export function speedWords(one: Violation): string {
  if (one.speed_kmh === null) return ''
  const off = one.speed_error_kmh === null ? '' : ` ± ${one.speed_error_kmh}`
  return `${one.speed_kmh}${off} km/h · ${t('violation.limit')} ${one.limit_kmh ?? '–'} km/h`
}

export function Facts({ one }: { one: Violation }) {
  const place = [one.place_name, one.lane === null ? '' : `${t('tollgate.lane')} ${one.lane}`, one.direction ? (maybe(`tollgate.direction.${one.direction}`) ?? one.direction) : '']
  const clock = one.clock_error_ms === null ? t('violation.clockUnstated') : t('violation.clock', { n: one.clock_error_ms / 1000 })
  return (
    <dl className="facts">
      <dt>{t('violation.what')}</dt><dd>{kindWords(one)}{one.code && <span className="quiet"> · {t('violation.code')} {one.code}</span>}</dd>
      <dt>{t('violation.where')}</dt><dd>{place.filter(Boolean).join(' · ') || '–'}</dd>
      <dt>{t('violation.when')}</dt><dd>{stamp(one.at)} <span className="quiet">· {clock}</span></dd>
      {one.light && <><dt>{t('violation.light')}</dt><dd>{t(`violation.light.${one.light}` as Key)}{one.light_source && <span className="quiet"> · {t(`violation.source.${one.light_source}` as Key)}</span>}</dd></>}
      {one.speed_kmh !== null && <><dt>{t('violation.speed')}</dt><dd>{speedWords(one)}{one.certificate ? <span className="quiet"> · {t('violation.certificate')} {one.certificate}</span> : <span className="quiet"> · {t('violation.estimate')}</span>}</dd></>}
      {typeof one.details.estimated_speed_kmh === 'number' && <><dt>{t('violation.speed')}</dt><dd className="quiet">{aboutSpeed(one.details.estimated_speed_kmh, Number(one.details.estimated_speed_uncertainty_kmh))}</dd></>}
      {one.plate_colour && <><dt>{t('watch.plateColour')}</dt><dd>{maybe(`colour.${one.plate_colour}`) ?? one.plate_colour}</dd></>}
      {one.details.networks && <><dt>{t('violation.networks')}</dt><dd className="quiet" title={String(one.details.networks)}>{String(one.details.networks).replaceAll(/ sha256:(\w{8})\w*/g, ' $1')} · ≥ {String(one.details.threshold)}</dd></>}
      {one.first_name && <><dt>{t('violation.first')}</dt><dd>{one.first_name} · {stamp(one.first_at!)}</dd></>}
      {one.second_name && <><dt>{t('violation.second')}</dt><dd>{one.second_name} · {stamp(one.second_at!)}</dd></>}
      {one.void_reason && <><dt>{t('violation.void')}</dt><dd>{t(`violation.reason.${one.void_reason}` as Key)}{one.void_words && ` · ${one.void_words}`}<br /><span className="quiet">{one.void_name || t('violation.byRule')} · {stamp(one.void_at!)}</span></dd></>}
      {one.exports > 0 && <><dt>{t('violation.exported')}</dt><dd>{stamp(one.exported_at!)} · {one.exports} ×</dd></>}
    </dl>
  )
}
