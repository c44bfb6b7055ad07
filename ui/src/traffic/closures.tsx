import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Closure } from '../api/types'
import { ProblemNote, sentence } from '../parts/problem'
import { iso, stamp } from '../parts/times'
import { t } from '../words'
import type { Point } from './view'

const KINDS = ['works', 'accident', 'event', 'weather', 'order'] as const
const HOURS = [0, 1, 4, 12, 24, 168] as const

interface Props {
  closures: Closure[] | undefined
  /** There are older ones, too. */
  more: boolean
  draft: Point[]
  onDraft: (points: Point[]) => void
  onLook: (place: Point) => void
}

/** Roads that are closed, and closing one. */
export function Closures({ closures, more, draft, onDraft, onLook }: Props) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const mayChange = useMay('traffic.change')
  const renew = () => Promise.all(['closures', 'conditions', 'ways'].map((each) => queries.invalidateQueries({ queryKey: ['traffic', each] })))
  const open = async (closure: Closure) => {
    try {
      await api.remove('traffic/closures/{closure}', { path: { closure: closure.id } })
      await renew()
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  return (
    <div className="traffic-panel">
      {mayChange && <NewClosure draft={draft} onDraft={onDraft} onDone={renew} />}
      {closures?.length === 0 && <span className="quiet">{t('traffic.noClosure')}</span>}
      <ul className="traffic-list">
        {closures?.map((one) => (
          <li key={one.id} className="traffic-closure">
            <button type="button" className="traffic-way" onClick={() => onLook([one.line.coordinates[0]![0]!, one.line.coordinates[0]![1]!])}>
              <b>{t(`closure.${one.kind}`)}</b>
              <span>{one.reason}</span>
              <span className="quiet">{one.end ? t('traffic.until', { at: stamp(one.end) }) : t('traffic.untilOpened')} · {one.created_by}</span>
            </button>
            {mayChange && <Button size="small" onClick={() => void open(one)}>{t('traffic.open')}</Button>}
          </li>
        ))}
      </ul>
      {more && <span className="quiet">{t('traffic.newestOnly', { n: closures?.length ?? 0 })}</span>}
    </div>
  )
}

function NewClosure({ draft, onDraft, onDone }: { draft: Point[]; onDraft: (points: Point[]) => void; onDone: () => Promise<unknown> }) {
  const [kind, setKind] = useState<(typeof KINDS)[number]>('works')
  const [reason, setReason] = useState('')
  const [bothWays, setBothWays] = useState(true)
  const [hours, setHours] = useState<number>(0)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const close = async () => {
    setBusy(true)
    try {
      const end = hours > 0 ? { end: iso((Date.now() + hours * 3_600_000) * 1000) } : {}
      const line = draft.map(([longitude, latitude]) => [longitude, latitude])
      await api.post('traffic/closures', { body: { kind, reason, line, both_ways: bothWays, ...end } })
      setError(null)
      setReason('')
      onDraft([])
      await onDone()
    } catch (refused) {
      setError(refused)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form
      className="traffic-form"
      onSubmit={(event) => {
        event.preventDefault()
        void close()
      }}
    >
      <p className="quiet">{t('traffic.pickClosure')}</p>
      <span role="status">{t('traffic.points', { n: draft.length })} {draft.length > 0 && <Button size="small" onClick={() => onDraft([])}>{t('traffic.clear')}</Button>}</span>
      <label>{t('word.kind')}<Select value={kind} onChange={setKind} options={KINDS.map((each) => ({ value: each, label: t(`closure.${each}`) }))} aria-label={t('word.kind')} /></label>
      <label>{t('traffic.reason')}<Input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} /></label>
      <label>{t('traffic.howLong')}<Select value={hours} onChange={setHours} options={HOURS.map((each) => ({ value: each, label: each ? t('unit.hours', { n: each }) : t('traffic.untilOpened') }))} aria-label={t('traffic.howLong')} /></label>
      <label className="row"><Switch size="small" checked={bothWays} onChange={setBothWays} /> {t('traffic.bothWays')}</label>
      {error !== null && <ProblemNote error={error} />}
      <Button type="primary" htmlType="submit" loading={busy} disabled={draft.length === 0 || !reason.trim()}>{t('traffic.close')}</Button>
    </form>
  )
}
