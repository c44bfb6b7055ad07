import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Form, Input, Segmented, Select } from 'antd'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { api, type Body } from '../api/client'
import { useMay } from '../api/session'
import type { WatchHit } from '../api/types'
import { useKeys } from '../app/keys'
import { CaseButton } from '../cases/add'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { Picture, Whole } from '../tollgates/passage'
import { type Key, maybe, t } from '../words'
import { Duty } from './deadline'
import { HitPlate } from './plate'

type Reported = Body<'post', 'hits/{hit}/report'>
const DUTIES = { open: 'unreported', reported: 'reported', all: '' } as const
const RESULTS = ['caught', 'checked', 'not_found', 'not_it', 'other'] as const

/** What watches met: signed for and reported back from here, by keyboard too. */
export function Hits() {
  const [query, setQuery] = useSearchParams()
  const shown = (['open', 'reported', 'all'] as const).find((each) => each === query.get('show')) ?? 'open'
  const list = usePages(['hits', 'list'], 'hits', { duty: DUTIES[shown] })
  const open = query.get('hit')
  const choose = (hit: string | null) => setQuery((now) => {
    if (hit) now.set('hit', hit)
    else now.delete('hit')
    return now
  })
  const sign = useSign()
  const may = useMay('alarm.acknowledge')
  const at = list.rows.findIndex((row) => row.id === open)
  useKeys((event) => {
    if (event.key === 'ArrowDown') choose(list.rows[Math.min(at + 1, list.rows.length - 1)]?.id ?? null)
    else if (event.key === 'ArrowUp') choose(list.rows[Math.max(at - 1, 0)]?.id ?? null)
    else if ((event.key === 'a' || event.key === 'A') && may) {
      const hit = list.rows[at] ?? list.rows[0]
      if (hit && waits(hit)) void sign(hit.id)
    } else return false
    return true
  })
  const columns: Column<WatchHit>[] = [
    { key: 'picture', title: t('passage.picture'), width: '112px', cell: (row) => (row.pictures > 0 ? <Picture passage={row.passage} number={0} purpose={row.purpose} /> : null) },
    { key: 'plate', title: t('watch.plate'), width: 'minmax(190px, 1fr)', cell: (row) => <HitPlate hit={row} />, value: (row) => row.plate },
    { key: 'at', title: t('hit.passed'), width: '170px', cell: (row) => <span>{stamp(row.at)}<br /><span className="quiet"><Age at={row.at} />{row.late && ` · ${t('hit.late')}`}</span></span>, value: (row) => row.at },
    { key: 'place', title: t('hit.place'), width: 'minmax(130px, 1fr)', cell: (row) => <Place hit={row} />, value: (row) => row.place_name },
    { key: 'reason', title: t('watch.reason'), width: 'minmax(140px, 2fr)', cell: (row) => <span title={row.reason}>{row.reason}</span>, value: (row) => row.reason },
    { key: 'duty', title: t('hit.duty'), width: 'minmax(190px, 1fr)', cell: (row) => <span><Duty hit={row} />{row.escalated > 0 && !row.reported_at && <><br /><span className="quiet">{t('hit.escalated', { n: row.escalated })}</span></>}</span>, value: (row) => row.sign_by ?? '' },
    { key: 'act', title: '', width: '150px', cell: (row) => <Act hit={row} onOpen={() => choose(row.id)} onSign={() => void sign(row.id)} /> },
  ]
  return (
    <div className="column" style={{ height: '100%' }}>
      <div className="row wrap">
        <Segmented value={shown} onChange={(value) => setQuery({ tab: 'hits', show: value })} options={[{ value: 'open', label: t('hit.open') }, { value: 'reported', label: t('hit.reported') }, { value: 'all', label: t('hit.all') }]} />
        <span className="grow" />
        <span className="quiet">{t('watch.logged')}</span>
      </div>
      {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
        <div style={{ flex: 1, minHeight: 0 }}>
          <Table
            name={t('watch.hits')} rows={list.rows} columns={columns} id={(row) => row.id} rowHeight={64} loading={list.loading} chosen={open} onOpen={(row) => choose(row.id)}
            card={{
              height: 116,
              body: (row) => (
                <div className="row" style={{ alignItems: 'flex-start' }}>
                  {row.pictures > 0 && <Picture passage={row.passage} number={0} purpose={row.purpose} />}
                  <div className="card-lines">
                    <div><span className="clip grow"><HitPlate hit={row} /></span><span className="quiet"><Age at={row.at} /></span></div>
                    <div><span className="clip"><Place hit={row} /></span></div>
                    <div><Duty hit={row} /></div>
                    <div><Act hit={row} onOpen={() => choose(row.id)} onSign={() => void sign(row.id)} /></div>
                  </div>
                </div>
              ),
            }}
            {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('hit.none')}</h2><span>{t('hit.begin')}</span></div>}
          />
        </div>
      )}
      <Drawer open={open !== null} onClose={() => choose(null)} width={640} title={t('hit.see')} destroyOnHidden>
        {open && <HitWhole hit={open} />}
      </Drawer>
    </div>
  )
}

const waits = (hit: WatchHit) => hit.state === 'live' && hit.yours && !hit.signed_at && !hit.reported_at
const owes = (hit: WatchHit) => hit.state === 'live' && hit.yours && Boolean(hit.signed_at) && !hit.reported_at

function useSign(): (hit: string) => Promise<void> {
  const queries = useQueryClient()
  const { message } = App.useApp()
  return async (hit) => {
    try {
      await api.post('hits/{hit}/sign', { path: { hit } })
    } catch (error) {
      void message.error(sentence(error))
    }
    await queries.invalidateQueries({ queryKey: ['hits'] })
    await queries.invalidateQueries({ queryKey: ['alarms'] })
  }
}

function Act({ hit, onOpen, onSign }: { hit: WatchHit; onOpen: () => void; onSign: () => void }) {
  const maySign = useMay('alarm.acknowledge')
  const mayReport = useMay('alarm.report')
  if (hit.state === 'live' && !hit.yours && !hit.reported_at) return <span className="quiet">{t('hit.noSeat')}</span>
  return (
    <span className="row" onClick={(event) => event.stopPropagation()}>
      {maySign && waits(hit) && <Button size="small" type="primary" onClick={onSign}>{t('hit.sign')}</Button>}
      {mayReport && owes(hit) && <Button size="small" onClick={onOpen}>{t('hit.report')}</Button>}
    </span>
  )
}

function Place({ hit }: { hit: WatchHit }) {
  return <>{[hit.place_name || '–', hit.lane === null ? '' : `${t('tollgate.lane')} ${hit.lane}`].filter(Boolean).join(' · ')}</>
}

/** One hit with its pictures, what was done about it and what is still to do. */
export function HitWhole({ hit }: { hit: string }) {
  const queries = useQueryClient()
  const sign = useSign()
  const maySign = useMay('alarm.acknowledge')
  const mayReport = useMay('alarm.report')
  const [problem, setProblem] = useState<unknown>(null)
  const asked = useQuery({ queryKey: ['hits', hit], queryFn: ({ signal }) => api.get('hits/{hit}', { path: { hit }, signal }) })
  const one = asked.data
  if (asked.error) return <ProblemNote error={asked.error} retry={() => void asked.refetch()} />
  if (!one) return null
  const report = async (body: Reported) => {
    try {
      await api.post('hits/{hit}/report', { path: { hit: one.id }, body })
      await queries.invalidateQueries({ queryKey: ['alarms'] })
      await queries.invalidateQueries({ queryKey: ['hits'] })
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <div className="watch-drawer">
      <div className="row wrap"><HitPlate hit={one} large /><span className="grow" /><CaseButton purpose={one.purpose} send={(path, words) => api.post('cases/{case}/passages', { path: { case: path }, body: { plate: one.plate, chosen: [one.passage], words }, once: true })} /><Duty hit={one} /></div>
      {one.kind === 'near' && <p className="quiet" style={{ margin: 0 }}>{t('hit.nearHint', { read: one.plate, wanted: one.wanted })}</p>}
      <dl className="facts">
        <dt>{t('hit.passed')}</dt><dd>{stamp(one.at)} · <Age at={one.at} />{one.late && ` · ${t('hit.late')}`}</dd>
        <dt>{t('hit.place')}</dt><dd><Place hit={one} />{one.direction && ` · ${maybe(`tollgate.direction.${one.direction}`) ?? one.direction}`}{one.speed_kmh !== null && ` · ${Math.round(one.speed_kmh)} km/h`}</dd>
        <dt>{t('watch.reason')}</dt><dd>{one.reason}{one.case_number && ` (${one.case_number})`}</dd>
        <dt>{t('hit.watchState')}</dt><dd><Link to={`/watches?tab=watches&watch=${one.watch}`}>{one.wanted}</Link> · {t(`watch.state.${one.watch_state}`)} · {t(`alarm.priority.${one.priority}` as Key)}</dd>
        {one.signed_by && <><dt>{t('hit.signed')}</dt><dd>{one.signed_by} · <Age at={one.signed_at} /></dd></>}
        {one.reported_by && <><dt>{t('hit.reportBy')}</dt><dd>{one.reported_by} · <Age at={one.reported_at} /></dd></>}
        {one.result && <><dt>{t('hit.result')}</dt><dd>{t(`hit.result.${one.result as 'other'}`)}{one.report && <><br />{one.report}</>}</dd></>}
        {one.escalated > 0 && <><dt>{t('hit.duty')}</dt><dd>{t('hit.escalated', { n: one.escalated })}</dd></>}
      </dl>
      {maySign && waits(one) && <div><Button type="primary" onClick={() => void sign(one.id)}>{t('hit.sign')}</Button></div>}
      {mayReport && owes(one) && (
        <Form<Reported> layout="vertical" requiredMark={false} className="panel" onFinish={(filled) => void report({ result: filled.result, report: filled.report ?? '' })}>
          <Form.Item name="result" label={t('hit.result')} rules={[{ required: true, message: t('hit.result') }]}><Select options={RESULTS.map((value) => ({ value, label: t(`hit.result.${value}`) }))} /></Form.Item>
          <Form.Item name="report" label={t('hit.words')}><Input.TextArea maxLength={2000} rows={3} /></Form.Item>
          <ProblemNote error={problem} />
          <Button type="primary" htmlType="submit">{t('hit.report')}</Button>
        </Form>
      )}
      <Whole passage={one.passage} purpose={one.purpose} />
    </div>
  )
}
