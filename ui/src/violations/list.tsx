import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Input, Select } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Violation } from '../api/types'
import { CaseButton } from '../cases/add'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { Why } from '../parts/why'
import { type Key, t } from '../words'
import { REASONS, type VoidReason } from './desk'
import { Facts, kindWords, Lacks, State } from './facts'
import { takeOut } from './package'
import { PlateCrop, Views } from './views'

const STATES = ['proposed', 'reviewed', 'confirmed', 'void'] as const
const KINDS = ['red_light', 'solid_line', 'wrong_way', 'illegal_stop', 'lane_disobeyed', 'section_speed', 'spot_speed', 'other'] as const

/** All violations by state; what was confirmed leaves from here. */
export function ViolationList() {
  const [query, setQuery] = useSearchParams()
  const state = STATES.find((each) => each === query.get('state')) ?? ''
  const kind = KINDS.find((each) => each === query.get('kind')) ?? ''
  const [plate, setPlate] = useState('')
  const list = usePages(['violations', 'list'], 'violations', { state, kind, plate })
  const counts = list.first?.counts
  const mayExport = useMay('violation.export')
  const [taking, setTaking] = useState<string[] | null>(null)
  const open = query.get('violation')
  const set = (name: string, value: string) => setQuery((now) => {
    if (value) now.set(name, value)
    else now.delete(name)
    return now
  })
  const leaving = list.rows.filter((row) => row.state === 'confirmed' && row.exports === 0).slice(0, 100)
  const columns: Column<Violation>[] = [
    { key: 'state', title: t('word.state'), width: '170px', cell: (row) => <State one={row} />, value: (row) => row.state },
    { key: 'kind', title: t('violation.what'), width: 'minmax(130px, 1fr)', cell: (row) => kindWords(row), value: (row) => kindWords(row) },
    { key: 'code', title: t('violation.codeShort'), width: '90px', cell: (row) => row.code || '–', value: (row) => row.code },
    { key: 'plate', title: t('watch.plate'), width: '130px', cell: (row) => (row.plate ? <span className="mono">{row.plate}</span> : <span className="quiet">{t('passage.unread')}</span>), value: (row) => row.plate },
    { key: 'at', title: t('violation.when'), width: '170px', cell: (row) => stamp(row.at), value: (row) => row.at },
    { key: 'place', title: t('violation.where'), width: 'minmax(130px, 1fr)', cell: (row) => row.place_name || '–', value: (row) => row.place_name },
    { key: 'notes', title: t('violation.notes'), width: 'minmax(180px, 2fr)', cell: (row) => <Notes one={row} /> },
  ]
  return (
    <div className="column" style={{ height: '100%' }}>
      <div className="row wrap">
        <Select value={state} onChange={(value) => set('state', value)} style={{ width: 240 }} aria-label={t('word.state')} options={[{ value: '', label: t('violation.all') }, ...STATES.map((value) => ({ value, label: `${t(`violation.state.${value}` as Key)}${counts ? ` · ${counts[value] ?? 0}` : ''}` }))]} />
        <Select value={kind} onChange={(value) => set('kind', value)} style={{ width: 200 }} aria-label={t('violation.what')} options={[{ value: '', label: t('violation.allKinds') }, ...KINDS.map((value) => ({ value, label: t(`violation.kind.${value}` as Key) }))]} />
        <Input.Search allowClear placeholder={t('watch.plate')} aria-label={t('watch.plate')} style={{ width: 180 }} onSearch={setPlate} />
        <span className="grow" />
        <CaseButton send={(path, words) => api.post('cases/{case}/violations', { path: { case: path }, body: { state, kind, plate, chosen: [], words }, once: true })} />
        {mayExport && <Button disabled={leaving.length === 0} onClick={() => setTaking(leaving.map((row) => row.id))}>{t('violation.export', { n: leaving.length })}</Button>}
      </div>
      {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
        <div style={{ flex: 1, minHeight: 0 }}>
          <Table
            name={t('page.violations')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} chosen={open} onOpen={(row) => set('violation', row.id)}
            card={{
              height: 92,
              body: (row) => (
                <div className="card-lines">
                  <div><span className="clip grow">{kindWords(row)}</span><State one={row} /></div>
                  <div><span className="mono">{row.plate || t('passage.unread')}</span><span className="quiet">{stamp(row.at)}</span></div>
                  <div><span className="clip"><Notes one={row} /></span></div>
                </div>
              ),
            }}
            {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('violation.none')}</h2><span>{t('violation.begin')}</span></div>}
          />
        </div>
      )}
      <Drawer open={open !== null} onClose={() => set('violation', '')} width={860} title={t('violation.one')} destroyOnHidden>
        {open && <One violation={open} onExport={mayExport ? (id) => setTaking([id]) : undefined} />}
      </Drawer>
      {taking && <Why title={t('violation.export', { n: taking.length })} verb={t('violation.exportOne')} send={(reason) => takeOut(taking, reason).then(list.refetch)} onClose={() => setTaking(null)} />}
    </div>
  )
}

function Notes({ one }: { one: Violation }) {
  if (one.state === 'void') return <span className="quiet">{t(`violation.reason.${one.void_reason}` as Key)}{one.void_words && ` · ${one.void_words}`}</span>
  if (one.unfit.length > 0) return <Lacks one={one} />
  return one.exports > 0 ? <span className="quiet">{t('violation.exported')} {stamp(one.exported_at!)}</span> : null
}

function One({ violation, onExport }: { violation: string; onExport: ((id: string) => void) | undefined }) {
  const queries = useQueryClient()
  const [problem, setProblem] = useState<unknown>(null)
  const [reason, setReason] = useState<VoidReason | undefined>()
  const [words, setWords] = useState('')
  const asked = useQuery({ queryKey: ['violations', violation], queryFn: ({ signal }) => api.get('violations/{violation}', { path: { violation }, signal }) })
  const mayReview = useMay('violation.review')
  const mayConfirm = useMay('violation.confirm')
  const one = asked.data
  if (asked.error) return <ProblemNote error={asked.error} retry={() => void asked.refetch()} />
  if (!one) return null
  const ends = one.state === 'proposed' ? mayReview : one.state !== 'void' && mayConfirm
  const end = async () => {
    if (!reason) return
    try {
      await api.post('violations/{violation}/void', { path: { violation }, revision: one.revision, body: { void_reason: reason, reason: words } })
      setProblem(null)
    } catch (failed) {
      setProblem(failed)
    }
    await queries.invalidateQueries({ queryKey: ['violations'] })
  }
  return (
    <div className="watch-drawer">
      <div className="row wrap"><h1 className="mono" style={{ fontSize: 20 }}>{one.plate || t('passage.unread')}</h1><State one={one} /><span className="grow" /><CaseButton send={(path, words) => api.post('cases/{case}/violations', { path: { case: path }, body: { plate: one.plate, kind: one.kind, chosen: [one.id], words }, once: true })} />{one.state === 'confirmed' && onExport && <Button onClick={() => onExport(one.id)}>{t('violation.exportOne')}</Button>}</div>
      <Lacks one={one} />
      <PlateCrop one={one} />
      <Views one={one} />
      <Facts one={one} />
      {ends && (
        <div className="row wrap">
          <Select<VoidReason> style={{ width: 220 }} placeholder={t('violation.makeVoid')} aria-label={t('violation.makeVoid')} value={reason ?? null} onChange={(value) => setReason(value)} options={REASONS.map((value) => ({ value, label: t(`violation.reason.${value}` as Key) }))} />
          <Input style={{ width: 240 }} value={words} maxLength={1000} placeholder={t('violation.words')} aria-label={t('violation.words')} onChange={(event) => setWords(event.target.value)} />
          <Button danger disabled={!reason || (reason === 'other' && !words.trim())} onClick={() => void end()}>{t('violation.makeVoid')}</Button>
        </div>
      )}
      <ProblemNote error={problem} />
    </div>
  )
}
