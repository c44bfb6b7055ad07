import { useQuery } from '@tanstack/react-query'
import { Button, Form, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { api, type Query } from '../api/client'
import type { Clone, Purpose } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { span, stamp } from '../parts/times'
import { type Key, t } from '../words'
import { Picture, When } from './passage'
import { PURPOSES } from './passages'
import { moment } from './search'

type Asked = Query<'vehicles/clones'>
interface Filled {
  purpose: Purpose
  kmh: number
  from?: string
  to?: string
  reason?: string
}

/** Plates that were at two places at once. */
export function Clones() {
  const [wish, setWish] = useState<{ asked: Asked; turn: number } | null>(null)
  return (
    <div className="column" style={{ height: '100%' }}>
      <Form<Filled> layout="inline" className="search-form" initialValues={{ purpose: 'traffic', kmh: 220 }}
        onFinish={({ purpose, kmh, from, to, reason }) => setWish((old) => ({ asked: { purpose, kmh, reason: reason ?? '', start: moment(from), end: moment(to) } as Asked, turn: (old?.turn ?? 0) + 1 }))}>
        <Form.Item name="purpose" label={t('tollgate.purposes')}><Select style={{ width: 130 }} options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} /></Form.Item>
        <Form.Item name="from" label={t('search.from')}><input type="datetime-local" className="plain-input" aria-label={t('search.from')} /></Form.Item>
        <Form.Item name="to" label={t('search.to')}><input type="datetime-local" className="plain-input" aria-label={t('search.to')} /></Form.Item>
        <Form.Item name="kmh" label={t('vehicle.fastest')}><InputNumber min={60} max={1000} style={{ width: 80 }} /></Form.Item>
        <Form.Item name="reason" label={t('audit.reason')}><Input maxLength={200} style={{ width: 160 }} /></Form.Item>
        <Button type="primary" htmlType="submit">{t('passage.look')}</Button>
      </Form>
      {wish ? <Found asked={wish.asked} turn={wish.turn} /> : <div className="empty">{t('passage.logged')}</div>}
    </div>
  )
}

function Found({ asked, turn }: { asked: Asked; turn: number }) {
  const found = useQuery({
    queryKey: ['clones', asked, turn], queryFn: ({ signal }) => api.get('vehicles/clones', { query: asked, signal }),
    staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false,
  })
  if (found.error) return <ProblemNote error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <div className="empty">{t('word.loading')}</div>
  const { items, looked_at } = found.data
  const n = looked_at.passages.toLocaleString()
  return (
    <div className="column" style={{ flex: 1, minHeight: 0, overflow: 'auto' }}>
      <p className="quiet">{looked_at.back_to ? t('search.lookedPassages', { n, at: stamp(looked_at.back_to) }) : t('search.lookedAll', { n })} {items.length > 0 && t('vehicle.picturesFirst')}</p>
      {looked_at.cut && <p className="p3">▲ {t('search.cut')}</p>}
      {items.length === 0 && <div className="empty">{t('vehicle.noClones')}</div>}
      {items.map((one) => <Pair key={one.start.id + one.end.id} one={one} purpose={asked.purpose} />)}
    </div>
  )
}

function Pair({ one, purpose }: { one: Clone; purpose: Purpose }) {
  return (
    <section className="clone">
      <div className="row wrap"><b className="mono">{one.plate}</b><span className="p2">▲ {t('vehicle.apart', { km: one.km.toFixed(1), span: span(one.seconds), kmh: Math.round(one.kmh) })}</span></div>
      <div className="clone-pair">
        {[one.start, one.end].map((row) => (
          <div key={row.id} className="column" style={{ gap: 2 }}>
            {row.pictures > 0 && <Picture passage={row.id} number={0} purpose={purpose} large />}
            <b>{row.tollgate_name || '–'}</b>
            <span className="quiet"><When row={row} /></span>
          </div>
        ))}
      </div>
    </section>
  )
}
