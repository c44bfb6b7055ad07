import { useQueryClient } from '@tanstack/react-query'
import { FolderAddOutlined } from '@ant-design/icons'
import { App, Button, Checkbox, Segmented } from 'antd'
import { useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useKeys } from '../app/keys'
import { address, api } from '../api/client'
import { useMay } from '../api/session'
import type { Alarm } from '../api/types'
import { AddToCase, CaseButton } from '../cases/add'
import { Age } from '../parts/age'
import { changed } from '../parts/chosen'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp, toUs } from '../parts/times'
import { Duty } from '../watches/deadline'
import { type Key, maybe, t, useLanguage } from '../words'

/** Alarms of one entry of a case: the footage around each is held. */
const MOST_TAKEN = 50
const SHAPES: Record<number, string> = { 1: '●', 2: '◆', 3: '▲', 4: '■' }

/** A plain list: the newest first, each with the picture of its moment. */
export function AlarmsPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const state = query.get('state') ?? 'raised'
  const list = usePages(['alarms', 'list'], 'alarms', { state: state === 'all' ? '' : state }, 20_000)
  const [chosen, setChosen] = useState<string | null>(query.get('alarm'))
  const may = useMay('alarm.acknowledge')
  const maySeeWatches = useMay('watch.see')
  const mayCase = useMay('case.write')
  const [adding, setAdding] = useState<Alarm | null>(null)
  const [taken, setTaken] = useState<ReadonlySet<string>>(new Set())
  const acknowledge = async (alarms: Alarm[]) => {
    try {
      for (const alarm of alarms) await api.post('alarms/{alarm}/acknowledge', { path: { alarm: alarm.id } })
      await queries.invalidateQueries({ queryKey: ['alarms'] })
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  const at = list.rows.findIndex((row) => row.id === chosen)
  useKeys((event) => {
    if (event.key === 'ArrowDown') setChosen(list.rows[Math.min(at + 1, list.rows.length - 1)]?.id ?? null)
    else if (event.key === 'ArrowUp') setChosen(list.rows[Math.max(at - 1, 0)]?.id ?? null)
    else if ((event.key === 'a' || event.key === 'A') && may) {
      const alarm = list.rows[at] ?? list.rows[0]
      if (alarm?.state === 'raised') {
        setChosen(list.rows[list.rows.indexOf(alarm) + 1]?.id ?? null)
        void acknowledge([alarm])
      }
    } else return false
    return true
  })
  const acts = (row: Alarm) => (
    <span className="row" onClick={(event) => event.stopPropagation()}>
      {may && row.state === 'raised' && <Button size="small" onClick={() => void acknowledge([row])}>{t(row.hit ? 'hit.sign' : 'alarm.acknowledge')}</Button>}
      {row.hit && maySeeWatches && <Button size="small" type="text" onClick={() => void navigate(`/watches?show=all&hit=${row.hit}`)}>{t('hit.see')}</Button>}
      {row.channel && <Button size="small" type="text" onClick={() => void navigate(moment(row))}>{t('alarm.playback')}</Button>}
      {mayCase && <Button size="small" type="text" icon={<FolderAddOutlined />} aria-label={t('case.add')} title={t('case.add')} onClick={() => setAdding(row)} />}
    </span>
  )
  const moment = (alarm: Alarm) => `/playback?channels=${alarm.channel}&at=${toUs(alarm.at) - 5e6}`
  const picked = list.rows.filter((row) => taken.has(row.id)).map((row) => row.id)
  const intoCase = (path: string, words: string) => {
    const asked = state === 'raised' || state === 'acknowledged' ? state : ''
    return api.post('cases/{case}/alarm-lists', { path: { case: path }, body: { state: asked, chosen: picked, words }, once: true }).then(() => setTaken(new Set()))
  }
  const columns: Column<Alarm>[] = [
    ...(mayCase ? [{ key: 'take', title: '', width: '36px', cell: (row: Alarm) => <span onClick={(event) => event.stopPropagation()}><Checkbox checked={taken.has(row.id)} disabled={!taken.has(row.id) && picked.length >= MOST_TAKEN} aria-label={`${t('case.add')} ${row.kind} ${stamp(row.at)}`} onChange={(event) => setTaken(changed(taken, row.id, event.target.checked))} /></span> }] : []),
    {
      key: 'priority', title: t('alarm.priority'), width: '104px', value: (row) => row.priority,
      cell: (row) => <Priority alarm={row} />,
    },
    { key: 'picture', title: t('alarm.picture'), width: '112px', cell: (row) => (row.has_picture ? <Picture alarm={row} /> : null) },
    { key: 'at', title: t('word.time'), width: '170px', value: (row) => row.at, cell: (row) => <span>{stamp(row.at)}<br /><span className="quiet"><Age at={row.at} /></span></span> },
    { key: 'kind', title: t('alarm.kind'), width: 'minmax(110px, 1fr)', value: (row) => row.kind, cell: (row) => row.kind },
    { key: 'channel', title: t('word.channel'), width: 'minmax(120px, 1fr)', value: (row) => row.channel_name ?? row.name ?? '', cell: (row) => row.channel_name || row.name || row.device || '–' },
    { key: 'description', title: t('alarm.description'), width: 'minmax(90px, 1fr)', value: (row) => row.description ?? '', cell: (row) => <span title={row.description}>{row.description || '–'}</span> },
    {
      key: 'state', title: t('word.state'), width: '150px', value: (row) => row.state,
      cell: (row) => (
        <span>
          {row.hit && row.state !== 'cleared' ? <Duty hit={duty(row)} /> : maybe(`alarm.state.${row.state}`) ?? row.state}
          {row.acknowledged_by && <><br /><span className="quiet">{t('alarm.by', { name: row.acknowledged_by })}</span></>}
        </span>
      ),
    },
    {
      key: 'act', title: '', width: '262px', cell: acts,
    },
  ]
  // A hit is signed for one by one: whoever does takes it on.
  const raised = list.rows.filter((row) => row.state === 'raised' && !row.hit)
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.alarms')}</h1>
        <Segmented
          value={state} onChange={(value) => setQuery({ state: value })}
          options={[{ value: 'raised', label: t('alarm.open') }, { value: 'acknowledged', label: t('alarm.acknowledged') }, { value: 'all', label: t('alarm.all') }]}
        />
        <span className="grow" />
        <CaseButton n={picked.length} send={intoCase} list />
        {may && raised.length > 1 && <Button onClick={() => void acknowledge(raised)}>{t('alarm.acknowledgeAll')} ({raised.length})</Button>}
      </div>
      <div className="page-body">
        {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
          <Table
            name={t('page.alarms')} rows={list.rows} columns={columns} id={(row) => row.id} rowHeight={64} loading={list.loading} chosen={chosen} onOpen={(row) => setChosen(row.id)}
            card={{
              height: 116,
              body: (row) => (
                <div className="row" style={{ alignItems: 'flex-start' }}>
                  {row.has_picture && <Picture alarm={row} />}
                  <div className="card-lines">
                    <div><Priority alarm={row} /><span className="grow" /><span className="quiet"><Age at={row.at} /></span></div>
                    <div><b className="clip">{row.kind}</b></div>
                    <div><span className="clip">{row.channel_name || row.name || row.device || '–'}</span></div>
                    <div>{row.state === 'raised' ? acts(row) : <span className="quiet">{maybe(`alarm.state.${row.state}`)} {row.acknowledged_by && t('alarm.by', { name: row.acknowledged_by })}</span>}</div>
                  </div>
                </div>
              ),
            }}
            {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('alarm.none')}</h2><span>{t('alarm.begin')}</span></div>}
          />
        )}
      </div>
      {adding && <AddToCase onClose={() => setAdding(null)} send={(path, words) => api.post('cases/{case}/alarms', { path: { case: path }, body: { alarm: adding.id, words }, once: true })} />}
    </div>
  )
}

const duty = (alarm: Alarm) => ({ state: 'live' as const, signed_at: alarm.acknowledged_at, reported_at: alarm.reported_at, sign_by: alarm.sign_by, report_by: alarm.report_by, result: alarm.result })

function Priority({ alarm }: { alarm: Alarm }) {
  const raised = alarm.state === 'raised'
  return (
    <span className={`mark ${raised ? `p${alarm.priority}` : 'quiet'} ${raised && alarm.priority === 1 ? 'blinking' : ''}`}>
      {SHAPES[alarm.priority] ?? '■'} {t(`alarm.priority.${Math.min(4, Math.max(1, alarm.priority))}` as Key)}
    </span>
  )
}

function Picture({ alarm }: { alarm: Alarm }) {
  const [gone, setGone] = useState(false)
  if (gone) return <span className="quiet">–</span>
  return <img className="alarm-picture" loading="lazy" src={address('alarms/{alarm}/picture', { path: { alarm: alarm.id }, query: { width: 192 } })} alt={alarm.kind} onError={() => setGone(true)} />
}
