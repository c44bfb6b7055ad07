import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Checkbox, Form, Input, InputNumber, Select } from 'antd'
import { type ReactNode, useEffect, useState } from 'react'
import { address, api, type Query } from '../api/client'
import { useMay } from '../api/session'
import type { Clone, Purpose } from '../api/types'
import { CaseButton } from '../cases/add'
import { changed } from '../parts/chosen'
import { ProblemNote } from '../parts/problem'
import { span } from '../parts/times'
import { type Key, t } from '../words'
import { Picture, When } from './passage'
import { PURPOSES } from './passages'
import { lookedAt, moment } from './search'

/** Pairs of one entry of a case. */
const MOST_PAIRS = 50
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

const named = (one: Clone) => `${one.start.id} ${one.end.id}`

function Found({ asked, turn }: { asked: Asked; turn: number }) {
  const mayCase = useMay('case.write')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => setChosen(new Set()), [asked, turn])
  const found = useQuery({
    queryKey: ['clones', asked, turn], queryFn: ({ signal }) => api.get('vehicles/clones', { query: asked, signal }),
    staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false,
  })
  if (found.error) return <ProblemNote error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return <div className="empty">{t('word.loading')}</div>
  const { items, looked_at } = found.data
  const pairs = items.filter((one) => chosen.has(named(one))).map((one) => ({ start: one.start.id, end: one.end.id }))
  const send = (path: string, words: string) => {
    const { area, start, end, kmh } = asked // what for is the case's own, and why is said with it
    return api.post('cases/{case}/clones', { path: { case: path }, body: { area: area ?? '', start: start ?? null, end: end ?? null, ...(kmh ? { kmh } : {}), chosen: pairs, words }, once: true })
  }
  const choose = (one: Clone, take: boolean) => setChosen(changed(chosen, named(one), take))
  return (
    <div className="column" style={{ flex: 1, minHeight: 0, overflow: 'auto' }}>
      <div className="row wrap">
        <CaseButton purpose={asked.purpose} n={pairs.length} send={send} />
        <Button size="small" icon={<DownloadOutlined />} href={address('vehicles/clones.csv', { query: asked })} download="clones.csv">{t('search.csv')}</Button>
      </div>
      <p className="quiet">{lookedAt(looked_at)} {items.length > 0 && t('vehicle.picturesFirst')}</p>
      {looked_at.cut && <p className="p3">▲ {t('search.cut')}</p>}
      {items.length === 0 && <div className="empty">{t('vehicle.noClones')}</div>}
      {items.map((one) => (
        <Pair key={named(one)} one={one} purpose={asked.purpose}>
          {mayCase && <Checkbox checked={chosen.has(named(one))} disabled={!chosen.has(named(one)) && pairs.length >= MOST_PAIRS} aria-label={`${t('case.add')} ${one.plate}`} onChange={(event) => choose(one, event.target.checked)} />}
        </Pair>
      ))}
    </div>
  )
}

function Pair({ one, purpose, children }: { one: Clone; purpose: Purpose; children: ReactNode }) {
  return (
    <section className="clone">
      <div className="row wrap">{children}<b className="mono">{one.plate}</b><span className="p2">▲ {t('vehicle.apart', { km: one.km.toFixed(1), span: span(one.seconds), kmh: Math.round(one.kmh) })}</span></div>
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
