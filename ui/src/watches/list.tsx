import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer, Input, Segmented } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { usePlaces } from '../admin/choose'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Watch } from '../api/types'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { colour, vehicleClass } from '../tollgates/passage'
import { type Key, t } from '../words'
import { useSeatNames } from './seats'

const STATES = ['approved', 'proposed', 'withdrawn', 'expired', 'refused'] as const

/** All watches, or those that wait for a second person. */
export function WatchList({ queue = false }: { queue?: boolean }) {
  const [query, setQuery] = useSearchParams()
  const state = queue ? 'proposed' : (STATES.find((each) => each === query.get('state')) ?? '')
  const list = usePages(['watches', 'list'], 'watches', { state })
  const open = query.get('watch')
  const choose = (watch: string | null) => setQuery((now) => {
    if (watch) now.set('watch', watch)
    else now.delete('watch')
    return now
  })
  const columns: Column<Watch>[] = [
    { key: 'state', title: t('word.state'), width: '96px', cell: (row) => <State watch={row} />, value: (row) => t(`watch.state.${row.state}`) },
    { key: 'plate', title: t('watch.plate'), width: '150px', cell: (row) => <b className="mono">{row.plate}</b>, value: (row) => row.plate },
    { key: 'reason', title: t('watch.reason'), width: 'minmax(160px, 2fr)', cell: (row) => <span title={row.reason}>{row.reason}</span>, value: (row) => row.reason },
    { key: 'case', title: t('watch.case'), width: 'minmax(90px, 1fr)', cell: (row) => row.case_number || '–', value: (row) => row.case_number },
    { key: 'until', title: t('watch.until'), width: '176px', cell: (row) => stamp(row.valid_until), value: (row) => row.valid_until },
    { key: 'by', title: t('watch.by'), width: 'minmax(90px, 1fr)', cell: (row) => row.proposed_name, value: (row) => row.proposed_name },
    { key: 'decided', title: t('watch.decidedBy'), width: 'minmax(90px, 1fr)', cell: (row) => row.decided_name || '–', value: (row) => row.decided_name },
    { key: 'hits', title: t('watch.hits'), width: '64px', end: true, cell: (row) => row.hits, value: (row) => row.hits },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <div className="column" style={{ height: '100%' }}>
      {!queue && (
        <div className="row wrap">
          <Segmented value={state} onChange={(value) => setQuery({ tab: 'watches', ...(value ? { state: value } : {}) })} options={[{ value: '', label: t('word.all') }, ...STATES.map((value) => ({ value, label: t(`watch.state.${value}`) }))]} />
          <span className="grow" />
          <span className="quiet">{t('watch.logged')}</span>
        </div>
      )}
      <div style={{ flex: 1, minHeight: 0 }}>
        <Table
          name={t(queue ? 'watch.queue' : 'watch.list')} rows={list.rows} columns={columns} id={(row) => row.id} rowHeight={36} loading={list.loading} chosen={open} onOpen={(row) => choose(row.id)}
          card={{
            height: 84,
            body: (row) => (
              <div className="card-lines">
                <div><b className="mono grow">{row.plate}</b><State watch={row} /></div>
                <div><span className="clip">{row.reason}</span></div>
                <div className="quiet"><span className="clip grow">{row.proposed_name}</span><span>{t('watch.until')} {stamp(row.valid_until)}</span></div>
              </div>
            ),
          }}
          {...(list.more ? { more: list.more } : {})}
          empty={<div className="empty"><h2>{t(queue ? 'watch.queueNone' : 'watch.none')}</h2>{!queue && <span>{t('watch.begin')}</span>}</div>}
        />
      </div>
      <Drawer open={open !== null} onClose={() => choose(null)} width={520} title={t('hit.watchState')} destroyOnHidden>
        {open && <Whole watch={open} />}
      </Drawer>
    </div>
  )
}

const MARKS: Record<Watch['state'], string> = { proposed: '◇', approved: '◆', refused: '✕', withdrawn: '–', expired: '–' }

function State({ watch }: { watch: Pick<Watch, 'state'> }) {
  return <span className={watch.state === 'approved' || watch.state === 'proposed' ? '' : 'quiet'}>{MARKS[watch.state]} {t(`watch.state.${watch.state}`)}</span>
}

/** One watch, and what the reader may do about it. */
function Whole({ watch }: { watch: string }) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const [words, setWords] = useState('')
  const [busy, setBusy] = useState(false)
  const mayApprove = useMay('watch.approve')
  const mayWithdraw = useMay('watch.withdraw')
  const seat = useSeatNames()
  const areas = usePlaces('areas')
  const asked = useQuery({ queryKey: ['watches', watch], queryFn: ({ signal }) => api.get('watches/{watch}', { path: { watch }, signal }) })
  const one = asked.data
  if (asked.error) return <ProblemNote error={asked.error} retry={() => void asked.refetch()} />
  if (!one) return null
  const act = async (verb: 'approve' | 'refuse' | 'withdraw') => {
    setBusy(true)
    try {
      await api.post(`watches/{watch}/${verb}` as const, { path: { watch }, body: { reason: words }, revision: one.revision })
    } catch (error) {
      void message.error(sentence(error))
    }
    setWords('')
    await queries.invalidateQueries({ queryKey: ['watches'] })
    await queries.invalidateQueries({ queryKey: ['hits'] })
    setBusy(false)
  }
  const withdraw = () => modal.confirm({ title: t('watch.withdrawAsk', { plate: one.plate }), okText: t('watch.withdraw'), okButtonProps: { danger: true }, cancelText: t('verb.cancel'), onOk: () => act('withdraw') })
  const decides = mayApprove && one.state === 'proposed'
  const ends = mayWithdraw && (one.state === 'approved' || one.state === 'proposed')
  const conditions = ([['watch.plateColour', one.plate_colour && colour(one.plate_colour)], ['watch.colour', one.colour && colour(one.colour)], ['watch.kind', one.vehicle_class && vehicleClass(one.vehicle_class)]] as const).filter(([, value]) => value)
  return (
    <div className="watch-drawer">
      <div className="row wrap"><b className="mono" style={{ fontSize: 20 }}>{one.plate}</b>{one.near && <span className="near-mark">≈ {t('watch.nearShort')}</span>}<span className="grow" /><State watch={one} /></div>
      <dl className="facts">
        <dt>{t('watch.reason')}</dt><dd>{one.reason}</dd>
        {one.case_number && <><dt>{t('watch.case')}</dt><dd>{one.case_number}</dd></>}
        {conditions.map(([name, value]) => <Fact key={name} name={name} value={value} />)}
        <dt>{t('watch.purpose')}</dt><dd>{t(`purpose.${one.purpose}` as Key)} · {t(`alarm.priority.${one.priority}` as Key)}</dd>
        <dt>{t('watch.validity')}</dt><dd>{stamp(one.valid_from)} – {stamp(one.valid_until)}</dd>
        <dt>{t('watch.area')}</dt><dd>{one.area ? (areas.data?.find((each) => each.id === one.area)?.name ?? one.area) : t('watch.everywhere')}{one.restricted && ` · ${t('watch.restricted')}`}</dd>
        <dt>{t('watch.seats')}</dt><dd>{one.seats.map(seat).join(', ')}</dd>
        {one.further.length > 0 && <><dt>{t('watch.further')}</dt><dd>{one.further.map(seat).join(', ')}</dd></>}
        <dt>{t('watch.by')}</dt><dd>{one.proposed_name}{one.origin && ` (${t('watch.fromLibrary')})`} · <Age at={one.proposed_at} /></dd>
        {one.decided_at && <><dt>{t('watch.decidedBy')}</dt><dd>{one.decided_name} · <Age at={one.decided_at} />{one.decision && <><br />{one.decision}</>}</dd></>}
        {one.ended_name && <><dt>{t('watch.endedBy')}</dt><dd>{one.ended_name} · <Age at={one.ended_at} />{one.ending && <><br />{one.ending}</>}</dd></>}
        <dt>{t('watch.hits')}</dt><dd>{one.hits}</dd>
        {one.telling && <><dt>{t('watch.telling')}</dt><dd><span className="mono">{one.telling.receive_addr}</span><Telling of={one.telling} asks={one.state === 'proposed'} /></dd></>}
      </dl>
      {decides && one.yours && <p className="quiet">{t('watch.own')}</p>}
      {((decides && !one.yours) || ends) && <Input.TextArea value={words} onChange={(event) => setWords(event.target.value)} maxLength={1000} rows={3} placeholder={t('watch.words')} aria-label={t('watch.words')} />}
      <div className="row">
        {decides && !one.yours && <Button type="primary" loading={busy} onClick={() => void act('approve')}>{t('watch.approve')}</Button>}
        {decides && !one.yours && <Button disabled={busy} onClick={() => void act('refuse')}>{t('watch.refuse')}</Button>}
        <span className="grow" />
        {ends && <Button danger disabled={busy} onClick={() => void withdraw()}>{t('watch.withdraw')}</Button>}
      </div>
    </div>
  )
}

/** How the library that asked for a watch is told what it meets; before the approval, what that allows. */
function Telling({ of, asks }: { of: NonNullable<Watch['telling']>; asks: boolean }) {
  if (!of.allowed) return asks ? <div className="quiet">{t('watch.tellingAsk')}</div> : null
  return (
    <>
      <div>{t('watch.tellingFigures', { delivered: of.delivered, waiting: of.waiting, lost: of.lost })}</div>
      {of.recalled > 0 && <div>{t('watch.tellingRecalled', { n: of.recalled })}</div>}
      {of.not_recalled > 0 && <div className="p3">▲ {t('watch.tellingNotRecalled', { n: of.not_recalled })}</div>}
      {of.last_error && <div className="p2">▲ {of.last_error}</div>}
    </>
  )
}

function Fact({ name, value }: { name: Key; value: string }) {
  return <><dt>{t(name)}</dt><dd>{value}</dd></>
}
