import { useEffect, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import { ProblemNote } from '../parts/problem'
import { stamp } from '../parts/times'
import { t } from '../words'
import type { Known } from './place'
import { begin, call, type Carried, onDuty, stop } from './shift'

const HOURS = 12
const ARMED_MS = 5_000

/** The shift, and the call for help. */
export function Duty({ shift, place, signedIn }: { shift: Carried; place: Known; signedIn: boolean }) {
  useEnd(shift)
  if (onDuty(shift)) return <On shift={shift} place={place} />
  if (shift.ending) return <section className="phone-card"><p role="status">{t('phone.ending')}</p></section>
  return signedIn ? <Off lost={shift.lost} /> : null
}

/** By the clock it ends here as it ends there. */
function useEnd({ token, until }: Carried): void {
  useEffect(() => {
    if (!token) return undefined
    const left = Date.parse(until) - Date.now()
    const timer = window.setTimeout(stop, Math.max(0, Math.min(left, 2 ** 31 - 1)))
    return () => window.clearTimeout(timer)
  }, [token, until])
}

function Off({ lost }: { lost: boolean }) {
  const may = useMay('phone.carry')
  const [agreed, setAgreed] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const go = async () => {
    setBusy(true)
    try {
      begin(await api.post('phone/shift', { body: { consent: true, hours: HOURS } }))
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <section className="phone-card" aria-label={t('phone.title')}>
      {lost && <p role="alert">{t('phone.lost')}</p>}
      <p>{t('phone.off')}</p>
      {may && (
        <>
          <p className="quiet">{t('phone.why', { hours: HOURS })}</p>
          <label className="phone-agree"><input type="checkbox" checked={agreed} onChange={(event) => setAgreed(event.target.checked)} /> {t('phone.consent')}</label>
          <ProblemNote error={problem} />
          <button type="button" className="phone-key" disabled={!agreed || busy} onClick={() => void go()}>{t('phone.begin')}</button>
        </>
      )}
    </section>
  )
}

function On({ shift, place }: { shift: Carried; place: Known }) {
  return (
    <section className="phone-card" aria-label={t('phone.title')}>
      <p><b>{shift.name}</b> · {t('phone.until', { at: stamp(shift.until) })}</p>
      <p role="status">
        {place.trouble === 'denied' ? t('phone.denied') : place.trouble === 'insecure' ? t('phone.insecure') : shift.sentAt ? t('phone.sent', { at: stamp(shift.sentAt * 1000) }) : place.fix ? '' : t('phone.noFix')}
        {shift.waiting.length > 1 && <span className="phone-waits"> {t('phone.waiting', { n: shift.waiting.length })}</span>}
      </p>
      <Sos shift={shift} place={place} />
      <button type="button" className="phone-key" onClick={stop}>{t('phone.stop')}</button>
    </section>
  )
}

/** Two presses within five seconds: a pocket presses once. */
function Sos({ shift, place }: { shift: Carried; place: Known }) {
  const [armed, setArmed] = useState(false)
  useEffect(() => {
    if (!armed) return undefined
    const timer = window.setTimeout(() => setArmed(false), ARMED_MS)
    return () => window.clearTimeout(timer)
  }, [armed])
  const press = () => {
    if (armed) call(place.fix)
    setArmed(!armed)
  }
  const said = shift.calls.length > 0 ? t('phone.sosWaits') : shift.called ? t('phone.sosSent', { at: stamp(shift.called * 1000) }) : ''
  return (
    <>
      <button type="button" className="phone-key phone-sos" data-armed={armed} onClick={press}>{t(armed ? 'phone.sosAgain' : 'phone.sos')}</button>
      <p role="alert">{said}</p>
    </>
  )
}
