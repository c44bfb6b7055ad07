import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Select } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import type { Tow } from '../api/types'
import { Age } from '../parts/age'
import { ProblemNote, sentence } from '../parts/problem'
import { read, type Point } from '../traffic/view'
import { t } from '../words'

const LIVE = 10_000
const REASONS = ['obstruction', 'parked', 'breakdown', 'accident', 'other'] as const
const NEXT: Record<Tow['state'], Tow['state'][]> = { called: ['on_site', 'done', 'cancelled'], on_site: ['done', 'cancelled'], done: [], cancelled: [] }

/** Vehicles that are to be taken away, as they are now. */
export function useTows() {
  return useQuery({ queryKey: ['traffic', 'tows'], refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/tows', { query: { limit: 200 }, signal }) })
}

/** A click shows the place; whoever may change traffic says how far it is. */
export function TowList({ tows, onLook }: { tows: Tow[]; onLook: (place: Point) => void }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  if (tows.length === 0) return <p className="quiet">{t('tow.none')}</p>
  const say = async (tow: Tow, state: Tow['state']) => {
    try {
      await api.post('traffic/tows/{tow}/state', { path: { tow: tow.id }, body: { state, taken_to: '' }, revision: tow.revision })
    } catch (error) {
      void message.error(sentence(error))
    }
    await queries.invalidateQueries({ queryKey: ['traffic', 'tows'] })
  }
  return (
    <ul className="traffic-list">
      {tows.map((tow) => (
        <li key={tow.id}>
          <button type="button" className="traffic-way" onClick={() => onLook([tow.longitude, tow.latitude])}>
            <b>{t(`tow.reason.${tow.reason}`)}{tow.plate && ` · ${tow.plate}`}</b>
            <span>{t(`tow.state.${tow.state}`)}</span>
            <span className="quiet">{t('traffic.since')} <Age at={tow.changed_at} /> · {tow.changed_by}</span>
            {tow.words && <span className="duty-words">{tow.words}</span>}
          </button>
          {tow.changeable && (
            <div className="row incident-verdicts">
              {NEXT[tow.state].map((state) => <Button key={state} size="small" onClick={() => void say(tow, state)}>{t(`tow.say.${state}`)}</Button>)}
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Which vehicle, where, and why. */
export function TowForm({ place, onPlace, onDone }: { place: string; onPlace: (text: string) => void; onDone: () => void }) {
  const queries = useQueryClient()
  const [reason, setReason] = useState<Body<'post', 'traffic/tows'>['reason']>('obstruction')
  const [plate, setPlate] = useState('')
  const [words, setWords] = useState('')
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const point = read(place)
  const call = async () => {
    if (!point) return
    setBusy(true)
    try {
      await api.post('traffic/tows', { body: { reason, plate, words, longitude: point[0], latitude: point[1] }, once: true })
      await queries.invalidateQueries({ queryKey: ['traffic', 'tows'] })
      onDone()
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form
      className="traffic-panel duty-form"
      onSubmit={(event) => {
        event.preventDefault()
        void call()
      }}
    >
      <h2>{t('tow.call')}</h2>
      <label>{t('tow.reason')}<Select value={reason} onChange={setReason} options={REASONS.map((value) => ({ value, label: t(`tow.reason.${value}`) }))} aria-label={t('tow.reason')} /></label>
      <label>{t('sign.place')}<Input value={place} placeholder="118.37, 31.33" {...(place && !point ? { status: 'error' as const } : {})} onChange={(event) => onPlace(event.target.value)} aria-label={t('sign.place')} /></label>
      <label>{t('tow.plate')}<Input value={plate} maxLength={20} onChange={(event) => setPlate(event.target.value)} aria-label={t('tow.plate')} /></label>
      <label>{t('tow.words')}<Input.TextArea value={words} rows={2} maxLength={500} onChange={(event) => setWords(event.target.value)} aria-label={t('tow.words')} /></label>
      {problem !== null && <ProblemNote error={problem} />}
      <div className="row">
        <Button type="primary" htmlType="submit" loading={busy} disabled={!point}>{t('tow.call')}</Button>
        <Button onClick={onDone}>{t('verb.cancel')}</Button>
      </div>
    </form>
  )
}
