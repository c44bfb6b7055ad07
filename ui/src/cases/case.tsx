import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Tabs } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { api, download, readFile } from '../api/client'
import { useMay } from '../api/session'
import type { Case } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { saveBlob } from '../parts/save'
import { stamp } from '../parts/times'
import { Why } from '../parts/why'
import { useSeatNames } from '../watches/seats'
import { type Key, t, useLanguage } from '../words'
import { CaseForm } from './form'
import { Timeline } from './timeline'
import { CaseMap, Rows, Sheet } from './views'

/** One case: what lies in it as timeline, pictures, map and table. */
export function CasePage() {
  useLanguage()
  const { id = '' } = useParams()
  const asked = useQuery({ queryKey: ['cases', id], queryFn: ({ signal }) => api.get('cases/{case}', { path: { case: id }, signal }) })
  const list = usePages(['cases', id, 'entries'], 'cases/{case}/entries', {}, false, { case: id })
  const entries = list.rows
  const [problem, setProblem] = useState<unknown>(null)
  const one = asked.data
  if (asked.error) return <div className="page"><div className="page-body"><ProblemNote error={asked.error} retry={() => void asked.refetch()} /></div></div>
  if (!one) return <div className="page"><div className="empty">{t('word.loading')}</div></div>
  const views = [
    { key: 'timeline', label: t('case.timeline'), children: <Timeline one={one} entries={entries} more={list.more} onProblem={setProblem} /> },
    { key: 'sheet', label: t('case.sheet'), children: <Sheet one={one} entries={entries} /> },
    { key: 'map', label: t('case.map'), children: <CaseMap entries={entries} /> },
    { key: 'table', label: t('case.table'), children: <Rows one={one} entries={entries} /> },
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1><Link to="/cases">{t('page.cases')}</Link> / {one.number}</h1>
        <span className={one.state === 'open' ? '' : 'quiet'}>{t(`case.state.${one.state}`)}</span>
        <span className="grow" />
        <Acts one={one} onProblem={setProblem} />
      </div>
      <div className="page-body scroll column">
        <ProblemNote error={problem ?? list.error} />
        <Facts one={one} />
        {one.writable && <Note one={one} onProblem={setProblem} />}
        <Tabs items={views} destroyOnHidden />
      </div>
    </div>
  )
}

function Facts({ one }: { one: Case }) {
  const named = useSeatNames()
  const list = (seats: string[]) => seats.map(named).join(', ') || '–'
  return (
    <dl className="facts panel">
      <dt>{t('case.title')}</dt><dd>{one.title}</dd>
      <dt>{t('case.purpose')}</dt><dd>{t(`purpose.${one.purpose}` as Key)}</dd>
      <dt>{t('case.ground')}</dt><dd>{one.ground}</dd>
      <dt>{t('case.owner')}</dt><dd>{one.owner_name} · {t('case.opened')} {stamp(one.opened_at)}</dd>
      <dt>{t('case.writers')}</dt><dd>{list(one.writers)}</dd>
      <dt>{t('case.readers')}</dt><dd>{list(one.readers)}</dd>
      {one.closed_at && <><dt>{t('case.closed')}</dt><dd>{stamp(one.closed_at)} · {one.closed_name}{one.closing && ` · ${one.closing}`}</dd></>}
      {one.keep_until && <><dt>{t('case.keep')}</dt><dd>{stamp(one.keep_until)}</dd></>}
    </dl>
  )
}

function Note({ one, onProblem }: { one: Case; onProblem: (problem: unknown) => void }) {
  const queries = useQueryClient()
  const [words, setWords] = useState('')
  const save = async () => {
    try {
      await api.post('cases/{case}/notes', { path: { case: one.id }, body: { words }, once: true })
      setWords('')
      onProblem(null)
      await queries.invalidateQueries({ queryKey: ['cases'] })
    } catch (error) {
      onProblem(error)
    }
  }
  return (
    <div className="row">
      <Input value={words} maxLength={4000} placeholder={t('case.noteWords')} aria-label={t('case.noteWords')} onChange={(event) => setWords(event.target.value)} onPressEnter={() => words.trim() && void save()} />
      <Button disabled={!words.trim()} onClick={() => void save()}>{t('case.note')}</Button>
    </div>
  )
}

function Acts({ one, onProblem }: { one: Case; onProblem: (problem: unknown) => void }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { modal } = App.useApp()
  const [changing, setChanging] = useState(false)
  const [leaving, setLeaving] = useState<'csv' | 'package' | null>(null)
  const mayManage = useMay('case.manage')
  const mayExport = useMay('case.export')
  const mayDelete = useMay('case.delete')
  const done = (work: Promise<unknown>) => work.then(() => {
    onProblem(null)
    return queries.invalidateQueries({ queryKey: ['cases'] })
  }).catch(onProblem)
  const ask = { path: { case: one.id }, revision: one.revision }
  const close = () => modal.confirm({
    title: `${t('case.close')}: ${one.number}`, content: t('case.closeHint'), okText: t('case.close'), cancelText: t('verb.cancel'),
    onOk: () => done(api.post('cases/{case}/close', { ...ask, body: { reason: '' } })),
  })
  const reopen = () => modal.confirm({
    title: `${t('case.reopen')}: ${one.number}`, content: t('case.reopenHint'), okText: t('case.reopen'), cancelText: t('verb.cancel'),
    onOk: () => done(api.post('cases/{case}/reopen', { ...ask, body: { reason: '' } })),
  })
  const remove = async () => {
    try {
      const lost = await api.get('cases/{case}/loss', { path: { case: one.id } })
      modal.confirm({
        title: t('case.deleteTitle', { number: one.number }), content: t('case.lost', { ...lost, only: lost.only_here }), okText: t('case.delete'), okButtonProps: { danger: true }, cancelText: t('verb.cancel'),
        onOk: () => api.remove('cases/{case}', ask).then(() => {
          void queries.invalidateQueries({ queryKey: ['cases', 'list'] })
          void navigate('/cases')
        }).catch(onProblem),
      })
    } catch (error) {
      onProblem(error)
    }
  }
  const take = async (what: 'csv' | 'package', reason: string) => {
    const { name, file } = what === 'package'
      ? await download('cases/{case}/package', { path: { case: one.id }, body: { reason } })
      : await readFile('cases/{case}/results.csv', { path: { case: one.id }, query: { reason } })
    saveBlob(file, name || `case.${what === 'package' ? 'zip' : 'csv'}`)
  }
  return (
    <>
      {mayExport && <Button size="small" onClick={() => setLeaving('csv')}>{t('case.csv')}</Button>}
      {mayExport && <Button size="small" title={t('case.packageHint')} onClick={() => setLeaving('package')}>{t('case.package')}</Button>}
      {mayManage && one.state === 'open' && <Button size="small" onClick={() => setChanging(true)}>{t('case.members')}</Button>}
      {mayManage && one.state === 'open' && <Button size="small" onClick={close}>{t('case.close')}</Button>}
      {mayManage && one.state === 'closed' && <Button size="small" onClick={reopen}>{t('case.reopen')}</Button>}
      {mayDelete && one.state === 'closed' && <Button size="small" danger onClick={() => void remove()}>{t('case.delete')}</Button>}
      {leaving && <Why title={`${one.number} · ${one.title}`} verb={t(`case.${leaving}`)} {...(leaving === 'package' ? { hint: t('case.packageHint') } : {})} send={(reason) => take(leaving, reason)} onClose={() => setLeaving(null)} />}
      {changing && <CaseForm one={one} onClose={() => setChanging(false)} />}
    </>
  )
}

