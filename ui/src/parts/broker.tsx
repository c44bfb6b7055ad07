import type { BrokerHealth } from '../api/types'
import { t } from '../words'
import { Age } from './age'
import { StateMark } from './state'

/** The broker that positions come from: how it is, what came, and what was not taken with the reason. */
export function BrokerPanel({ broker }: { broker: BrokerHealth }) {
  return (
    <div className="panel column">
      <div className="row"><b className="grow mono">{broker.name}</b><StateMark state={broker.state} /><Age at={broker.since} /></div>
      {broker.code && <span className="p2">▲ {broker.sentence || broker.code}</span>}
      <dl className="facts">
        <dt>{t('broker.messages')}</dt><dd>{broker.messages}</dd>
        <dt>{t('broker.taken')}</dt><dd>{broker.taken}</dd>
        <dt>{t('broker.doubled')}</dt><dd>{broker.doubled}</dd>
        <dt>{t('broker.waiting')}</dt><dd>{broker.waiting}</dd>
      </dl>
      <b>{t('broker.refused')}</b>
      {broker.refused.length === 0 ? <span className="quiet">{t('broker.none')}</span> : (
        <dl className="facts">
          {broker.refused.map((one) => (
            <div key={one.code} style={{ display: 'contents' }}><dt>{one.times}</dt><dd title={one.code}>{one.sentence}</dd></div>
          ))}
        </dl>
      )}
    </div>
  )
}
