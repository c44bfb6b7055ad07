import type { WatchHit } from '../api/types'
import { useSecond } from '../parts/age'
import { span, stamp, toUs } from '../parts/times'
import { t, useLanguage } from '../words'

/** What is still to be done about a hit and how long there is for it, counted down; red once it is late. */
export function Duty({ hit }: { hit: Pick<WatchHit, 'state' | 'signed_at' | 'reported_at' | 'sign_by' | 'report_by' | 'result'> }) {
  useLanguage()
  const now = useSecond()
  if (hit.state !== 'live') return <span className="quiet">{t(`hit.state.${hit.state}`)}</span>
  if (hit.reported_at) return <span>{hit.result ? t(`hit.result.${hit.result as 'other'}`) : t('hit.reported')}</span>
  const by = hit.signed_at ? hit.report_by : hit.sign_by
  if (!by) return null
  const left = toUs(by) / 1e6 - now / 1000
  const late = left < 0
  const words = late ? (hit.signed_at ? 'hit.overdueReport' : 'hit.overdueSign') : hit.signed_at ? 'hit.reportLeft' : 'hit.signLeft'
  return <span className={late ? 'p1' : ''} title={stamp(by)}>{late ? '▲ ' : ''}{t(words, { time: Math.abs(left) < 600 ? minutes(Math.abs(left)) : span(Math.abs(left)) })}</span>
}

/** 4:05, for what is counted by the second. */
function minutes(seconds: number): string {
  const whole = Math.floor(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
