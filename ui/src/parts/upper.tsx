import type { UpperHealth } from '../api/types'
import { t } from '../words'
import { Age } from './age'
import { StateMark } from './state'
import { stamp } from './times'

/** A library above that the platform registers at. */
export function UpperPanel({ upper }: { upper: UpperHealth }) {
  return (
    <div className="panel column">
      <div className="row"><b className="grow mono">{upper.place}</b><StateMark state={upper.state} /><Age at={upper.since} /></div>
      {upper.code && <span className="p2">▲ {upper.sentence || upper.code}</span>}
      <dl className="facts">
        <dt>{t('upper.heard')}</dt><dd>{upper.heard ? stamp(upper.heard) : '–'}</dd>
        <dt>{t('upper.times')}</dt><dd>{upper.times}</dd>
      </dl>
    </div>
  )
}
