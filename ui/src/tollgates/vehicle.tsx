import { DownloadOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Checkbox, Form, InputNumber, Tabs } from 'antd'
import { Fragment, useState } from 'react'
import { address, api } from '../api/client'
import { useMay } from '../api/session'
import type { Companion, Route } from '../api/types'
import { CaseButton } from '../cases/add'
import { changed } from '../parts/chosen'
import { ProblemNote } from '../parts/problem'
import { clock, day, span, stamp } from '../parts/times'
import { t } from '../words'
import { Picture, Plate, When } from './passage'
import { lookedAt, type Wish } from './search'
import { WayMap } from './waymap'

/** Passages and companions of one entry of a case. */
const MOST_STOPS = 100
const MOST_COMPANY = 20
const ONCE = { staleTime: Infinity, refetchOnWindowFocus: false, refetchOnReconnect: false, retry: false } as const

/** A vehicle through the city, as far as the search that led to it reaches. */
export function Vehicle({ plate, wish }: { plate: string; wish: Wish }) {
  const asked = { plate, purpose: wish.purpose, reason: wish.reason ?? '', start: wish.start, end: wish.end } as const
  return (
    <Tabs destroyOnHidden items={[
      { key: 'route', label: t('vehicle.route'), children: <Way asked={asked} /> },
      { key: 'companions', label: t('vehicle.companions'), children: <Companions asked={asked} /> },
    ]} />
  )
}

type Asked = { plate: string } & Pick<Wish, 'purpose' | 'reason' | 'start' | 'end'>

/** What goes into a case: what for is the case's own, and why is said with it. */
function wanted({ plate, start, end }: Asked) {
  return { plate, start: start ?? null, end: end ?? null }
}

function Way({ asked }: { asked: Asked }) {
  const mayCase = useMay('case.write')
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set())
  const found = useQuery({ queryKey: ['route', asked], queryFn: ({ signal }) => api.get('vehicles/route', { query: asked, signal }), ...ONCE })
  if (found.error) return <ProblemNote error={found.error} retry={() => void found.refetch()} />
  if (!found.data) return null
  const { passages, legs, first_seen, more } = found.data
  if (passages.length === 0) return <div className="empty">{t('vehicle.none')}</div>
  const chosen = passages.filter((row) => !left.has(row.id)).slice(-MOST_STOPS).map((row) => row.id)
  const send = (path: string, words: string) => api.post('cases/{case}/routes', { path: { case: path }, body: { ...wanted(asked), chosen, words }, once: true })
  return (
    <div className="column">
      <div className="row wrap">
        <CaseButton purpose={asked.purpose} n={chosen.length} send={send} />
        <Button size="small" icon={<DownloadOutlined />} href={address('vehicles/route.csv', { query: asked })} download="route.csv">{t('search.csv')}</Button>
      </div>
      <p className="quiet">{t(more ? 'vehicle.firstSeenMore' : 'vehicle.firstSeen', { at: first_seen ? stamp(first_seen) : '–', n: passages.length })}</p>
      <WayMap passages={passages} />
      <ol className="way">
        {passages.map((row, index) => (
          <Fragment key={row.id}>
            {index > 0 && <Between leg={legs[index - 1]!} />}
            {(index === 0 || day(row.at) !== day(passages[index - 1]!.at)) && <li className="way-day">{day(row.at)}</li>}
            <li className="way-stop">
              <span className="way-time mono" title={stamp(row.at)}>{row.clock_doubtful ? <When row={row} /> : clock(row.at)}</span>
              <span className="way-dot" />
              <span className="column" style={{ gap: 2 }}>
                <b>{row.tollgate_name || row.device || '–'}</b>
                <span className="quiet row"><Plate row={row} />{row.speed_kmh === null ? '' : ` ${Math.round(row.speed_kmh)} km/h`}</span>
              </span>
              {row.pictures > 0 && <Picture passage={row.id} number={0} purpose={asked.purpose} />}
              {mayCase && <Checkbox checked={chosen.includes(row.id)} disabled={!left.has(row.id) && !chosen.includes(row.id)} aria-label={`${t('case.add')} ${stamp(row.at)}`} onChange={(event) => setLeft(changed(left, row.id, !event.target.checked))} />}
            </li>
          </Fragment>
        ))}
      </ol>
    </div>
  )
}

function Between({ leg }: { leg: Route['legs'][number] }) {
  const far = leg.km !== null && leg.kmh !== null && leg.km >= 0.1 ? t('vehicle.leg', { km: leg.km.toFixed(1), kmh: Math.round(leg.kmh) }) : ''
  return (
    <li className={`way-leg ${leg.impossible ? 'p2' : 'quiet'}`}>
      {leg.impossible && <b>▲ {t('vehicle.impossible')} </b>}
      {[leg.stay ? t('vehicle.stay', { span: span(leg.seconds) }) : t('vehicle.later', { span: span(leg.seconds) }), far].filter(Boolean).join(' · ')}
    </li>
  )
}

function Companions({ asked }: { asked: Asked }) {
  const [bounds, setBounds] = useState({ seconds: 30, times: 3, places: 2 })
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const mayCase = useMay('case.write')
  const found = useQuery({ queryKey: ['companions', asked, bounds], queryFn: ({ signal }) => api.get('vehicles/companions', { query: { ...asked, ...bounds }, signal }), ...ONCE })
  const taken = (found.data?.items ?? []).filter((one) => chosen.has(one.plate)).slice(0, MOST_COMPANY).map((one) => one.plate)
  const send = (path: string, words: string) => api.post('cases/{case}/companions', { path: { case: path }, body: { ...wanted(asked), ...bounds, chosen: taken, words }, once: true })
  const field = (name: keyof typeof bounds, label: string, low: number, high: number) => (
    <Form.Item label={label}>
      <InputNumber min={low} max={high} value={bounds[name]} changeOnBlur onChange={(value) => setBounds({ ...bounds, [name]: value ?? low })} style={{ width: 72 }} aria-label={label} />
    </Form.Item>
  )
  return (
    <div className="column">
      <Form layout="inline" className="search-form">
        {field('seconds', t('vehicle.within'), 1, 600)}
        {field('times', t('vehicle.times'), 2, 100)}
        {field('places', t('vehicle.places'), 1, 100)}
        {found.data && <CaseButton purpose={asked.purpose} n={taken.length} send={send} />}
        {found.data && <Button size="small" icon={<DownloadOutlined />} href={address('vehicles/companions.csv', { query: { ...asked, ...bounds } })} download="companions.csv">{t('search.csv')}</Button>}
      </Form>
      {found.error && <ProblemNote error={found.error} retry={() => void found.refetch()} />}
      {found.data && <p className="quiet">{lookedAt(found.data.looked_at)}</p>}
      {found.data?.looked_at.cut && <p className="p3">▲ {t('search.cut')}</p>}
      {found.data?.items.length === 0 && <div className="empty">{t('vehicle.noCompanions')}</div>}
      {found.data?.items.map((one) => (
        <div key={one.plate} className="row" style={{ alignItems: 'baseline' }}>
          {mayCase && <Checkbox checked={taken.includes(one.plate)} disabled={taken.length >= MOST_COMPANY && !taken.includes(one.plate)} aria-label={`${t('case.add')} ${one.plate}`} onChange={(event) => setChosen(changed(chosen, one.plate, event.target.checked))} />}
          <Company one={one} />
        </div>
      ))}
    </div>
  )
}

function Company({ one }: { one: Companion }) {
  return (
    <details className="company">
      <summary><b className="mono">{one.plate}</b> <span className="quiet">{t('vehicle.met', { n: one.meetings.length, places: one.places })}</span></summary>
      <ul>
        {one.meetings.map((each) => (
          <li key={each.passage + each.other}>
            {stamp(each.at)} · {each.tollgate_name || '–'} · {t(each.seconds < 0 ? 'vehicle.ahead' : 'vehicle.behind', { n: Math.abs(each.seconds).toFixed(1) })}
          </li>
        ))}
      </ul>
    </details>
  )
}
