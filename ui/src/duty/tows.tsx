import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Select } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import type { Tow } from '../api/types'
import { Age } from '../parts/age'
import { ProblemNote, sentence } from '../parts/problem'
import { read, type Point } from '../traffic/view'
import { t } from '../words'
import { DutyForm, PlaceField } from './form'

const LIVE = 10_000
const REASONS = ['obstruction', 'parked', 'breakdown', 'accident', 'other'] as const
const NEXT: Record<Tow['state'], Tow['state'][]> = { called: ['on_site', 'done', 'cancelled'], on_site: ['done', 'cancelled'], done: [], cancelled: [] }

/** Vehicles that are to be taken away, as they are now. */
export function useTows() {
  return useQuery({ queryKey: ['traffic', 'tows'], refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/tows', { query: { limit: 200 }, signal }) })
}

/** Those of the last 30 days that are over; asked for when somebody wants them. */
function useOver(wanted: boolean) {
  return useQuery({ queryKey: ['traffic', 'tows', 'over'], enabled: wanted, refetchInterval: LIVE, queryFn: ({ signal }) => api.get('traffic/tows', { query: { over: true, limit: 50 }, signal }) })
}

/** A click shows the place; whoever may change traffic says how far it is, and at the end where it was brought. */
export function TowList({ tows, onLook }: { tows: Tow[]; onLook: (place: Point) => void }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [ending, setEnding] = useState('')
  const [takenTo, setTakenTo] = useState('')
  if (tows.length === 0) return <p className="quiet">{t('tow.none')}</p>
  const say = async (tow: Tow, state: Tow['state'], to = '') => {
    try {
      await api.post('traffic/tows/{tow}/state', { path: { tow: tow.id }, body: { state, taken_to: to }, revision: tow.revision })
      setEnding('')
    } catch (error) {
      void message.error(sentence(error))
    }
    await queries.invalidateQueries({ queryKey: ['traffic', 'tows'] })
  }
  const begin = (tow: Tow, state: Tow['state']) => {
    if (state !== 'done') return void say(tow, state)
    setTakenTo('')
    setEnding(tow.id)
  }
  return (
    <ul className="traffic-list">
      {tows.map((tow) => (
        <li key={tow.id}>
          <TowRow tow={tow} onLook={onLook} />
          {tow.changeable && ending === tow.id && (
            <form
              className="row incident-verdicts"
              onSubmit={(event) => {
                event.preventDefault()
                void say(tow, 'done', takenTo)
              }}
            >
              <Input size="small" autoFocus value={takenTo} maxLength={500} placeholder={t('tow.takenTo')} aria-label={t('tow.takenTo')} onChange={(event) => setTakenTo(event.target.value)} />
              <Button size="small" type="primary" htmlType="submit">{t('tow.say.done')}</Button>
              <Button size="small" onClick={() => setEnding('')}>{t('verb.back')}</Button>
            </form>
          )}
          {tow.changeable && ending !== tow.id && (
            <div className="row incident-verdicts">
              {NEXT[tow.state].map((state) => <Button key={state} size="small" onClick={() => begin(tow, state)}>{t(`tow.say.${state}`)}</Button>)}
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Who asks where a vehicle went is told from here. */
export function TowsOver({ onLook }: { onLook: (place: Point) => void }) {
  const [open, setOpen] = useState(false)
  const over = useOver(open)
  const found = over.data?.items
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('tow.over')}</summary>
      {over.error && <ProblemNote error={over.error} retry={() => void over.refetch()} />}
      {found?.length === 0 && <p className="quiet">{t('tow.noneOver')}</p>}
      <ul className="traffic-list">{found?.map((tow) => <li key={tow.id}><TowRow tow={tow} onLook={onLook} /></li>)}</ul>
      {over.data?.next && <p className="quiet">{t('traffic.newestOnly', { n: over.data.items.length })}</p>}
    </details>
  )
}

function TowRow({ tow, onLook }: { tow: Tow; onLook: (place: Point) => void }) {
  return (
    <button type="button" className="traffic-way" onClick={() => onLook([tow.longitude, tow.latitude])}>
      <b>{t(`tow.reason.${tow.reason}`)}{tow.plate && ` · ${tow.plate}`}</b>
      <span>{t(`tow.state.${tow.state}`)}</span>
      <span className="quiet">{t('traffic.since')} <Age at={tow.changed_at} /> · {tow.changed_by}</span>
      {tow.taken_to && <span className="duty-words">{t('tow.broughtTo', { place: tow.taken_to })}</span>}
      {tow.words && <span className="duty-words">{tow.words}</span>}
    </button>
  )
}

/** Which vehicle, where, and why. */
export function TowForm({ place, onPlace, onDone }: { place: string; onPlace: (text: string) => void; onDone: () => void }) {
  const queries = useQueryClient()
  const [reason, setReason] = useState<Body<'post', 'traffic/tows'>['reason']>('obstruction')
  const [plate, setPlate] = useState('')
  const [words, setWords] = useState('')
  const point = read(place)
  const call = async () => {
    if (!point) return
    await api.post('traffic/tows', { body: { reason, plate, words, longitude: point[0], latitude: point[1] }, once: true })
    await queries.invalidateQueries({ queryKey: ['traffic', 'tows'] })
    onDone()
  }
  return (
    <DutyForm title={t('tow.call')} verb={t('tow.call')} ready={Boolean(point)} onSend={call} onDone={onDone}>
      <label>{t('tow.reason')}<Select value={reason} onChange={setReason} options={REASONS.map((value) => ({ value, label: t(`tow.reason.${value}`) }))} aria-label={t('tow.reason')} /></label>
      <PlaceField place={place} onPlace={onPlace} />
      <label>{t('tow.plate')}<Input value={plate} maxLength={20} onChange={(event) => setPlate(event.target.value)} aria-label={t('tow.plate')} /></label>
      <label>{t('tow.words')}<Input.TextArea value={words} rows={2} maxLength={500} onChange={(event) => setWords(event.target.value)} aria-label={t('tow.words')} /></label>
    </DutyForm>
  )
}
