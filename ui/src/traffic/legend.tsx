import type { Condition } from '../api/types'
import { t } from '../words'
import { named } from './named'

const LEVELS = ['AB', 'C', 'D', 'E', 'F'] as const

/** What the colours mean, and in words how much of what is seen is slow: a screen reader has no colours. */
export function Legend({ roads, leftOut, least, credit }: { roads: Condition[]; leftOut: number; least: number; credit: string }) {
  const measured = roads.filter((road) => road.properties.level !== '')
  const slow = measured.filter((road) => 'DEF'.includes(road.properties.level))
  return (
    <div className="traffic-legend">
      {LEVELS.map((level) => <span key={level} className={`los los-${level}`}>{t(`traffic.level.${level}`)}</span>)}
      <span className="los los-none">{t('traffic.level.none')}</span>
      <span className="grow" />
      <span className="quiet" role="status">{t('traffic.measured', { n: measured.length, slow: slow.length })}</span>
      {leftOut > 0 && <span className="quiet">{t('traffic.leftOut', { n: leftOut })}</span>}
      {least > 1 && <span className="quiet">{t('traffic.least', { n: least })}</span>}
      {credit && <span className="quiet clip">{named(credit)}</span>}
    </div>
  )
}
