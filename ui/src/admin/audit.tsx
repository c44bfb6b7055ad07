import { App, Button, Drawer, Select } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { api } from '../api/client'
import type { AuditRecord } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { maybe, t, useLanguage } from '../words'

/** The words of the button that does it; what we have no words for keeps its code. */
function actionWords(action: string): string {
  return maybe(`action.${action}`) ?? action
}

/** What somebody wrote stays as it is; the platform itself gives codes. */
function reasonWords(reason: string | undefined): string {
  return maybe(`audit.why.${reason}`) ?? reason ?? ''
}

const ONLY = { '': 'audit.only.all', watching: 'audit.only.watching', signing_in: 'audit.only.signing_in' } as const
type Only = keyof typeof ONLY

/** The stretch of footage a record is about, microseconds in its details. */
function rangeOf(record: AuditRecord): string {
  const { start, end, picture } = record.details
  const at = (us: unknown) => (typeof us === 'number' && us > 0 ? stamp(new Date(us / 1000).toISOString()) : '')
  return [at(start ?? picture), at(end)].filter(Boolean).join(' – ')
}

/** Who did or watched what, when and why; a record is shown whole, with its place in the chain. */
export function AuditPage() {
  useLanguage()
  const { modal, message } = App.useApp()
  const [where, setWhere] = useSearchParams()
  const object = where.get('object') ?? ''
  const [only, setOnly] = useState<Only>('')
  const list = usePages(['audit'], 'audit', { only, object }, 15_000)
  const [open, setOpen] = useState<AuditRecord | null>(null)
  const columns: Column<AuditRecord>[] = [
    { key: 'at', title: t('word.time'), width: '176px', value: (row) => row.at, cell: (row) => stamp(row.at) },
    { key: 'who', title: t('audit.who'), width: 'minmax(110px, 1fr)', value: (row) => row.actor_name ?? '', cell: (row) => row.actor_name || row.actor || '–' },
    { key: 'action', title: t('audit.action'), width: 'minmax(150px, 1fr)', value: (row) => actionWords(row.action), cell: (row) => <span title={row.action}>{actionWords(row.action)}</span> },
    { key: 'object', title: t('audit.object'), width: 'minmax(180px, 2fr)', value: (row) => row.object_name ?? '', cell: (row) => row.object_name || row.object || '–' },
    { key: 'outcome', title: t('audit.outcome'), width: '100px', value: (row) => row.outcome ?? '', cell: (row) => <span className={row.outcome === 'denied' || row.outcome === 'failed' ? 'p2' : ''}>{maybe(`outcome.${row.outcome ?? ''}`) ?? row.outcome}</span> },
    { key: 'reason', title: t('audit.reason'), width: 'minmax(140px, 1fr)', value: (row) => reasonWords(row.reason), cell: (row) => reasonWords(row.reason) || '–' },
    { key: 'address', title: t('word.address'), width: '130px', value: (row) => row.address ?? '', cell: (row) => row.address || '–' },
  ]
  const prove = async () => {
    try {
      const proof = await api.get('audit/proof')
      if (proof.sound) void message.success(t('audit.sound', { first: proof.first, last: proof.last, sealed: proof.sealed }))
      else modal.error({ title: proof.sentence })
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  const card = (row: AuditRecord) => (
    <div className="card-lines">
      <div><span className="clip grow"><b>{actionWords(row.action)}</b> {row.object_name || row.object}</span><span className="quiet">{maybe(`outcome.${row.outcome ?? ''}`) ?? row.outcome}</span></div>
      <div className="quiet"><span className="clip grow">{row.actor_name || row.actor}</span><span>{stamp(row.at)}</span></div>
    </div>
  )
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.audit')}</h1>
        <Select value={only} aria-label={t('audit.only')} style={{ width: 190 }} onChange={setOnly} options={(Object.keys(ONLY) as Only[]).map((value) => ({ value, label: t(ONLY[value]) }))} />
        {object && <Button onClick={() => setWhere({})}>{t('audit.of')} ×</Button>}
        <span className="grow" />
        <Button onClick={() => void prove()}>{t('audit.prove')}</Button>
      </div>
      <div className="page-body">
        {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
          <Table name={t('page.audit')} rows={list.rows} columns={columns} id={(row) => row.id} onOpen={setOpen} loading={list.loading} card={{ height: 56, body: card }} {...(list.more ? { more: list.more } : {})} empty={<div className="empty">{t('audit.none')}</div>} />
        )}
      </div>
      <Drawer open={open !== null} onClose={() => setOpen(null)} width={460} title={t('audit.details', { id: open?.id ?? '' })}>
        {open && (
          <dl className="facts">
            {columns.map((column) => (
              <div key={column.key} style={{ display: 'contents' }}>
                <dt>{column.title}</dt>
                <dd>{column.cell(open)}</dd>
              </div>
            ))}
            {rangeOf(open) && <><dt>{t('audit.range')}</dt><dd>{rangeOf(open)}</dd></>}
            <dt>{t('audit.hash')}</dt>
            <dd className="mono">{open.hash}</dd>
            <dt>{t('verb.details')}</dt>
            <dd><pre className="mono" style={{ whiteSpace: 'pre-wrap', margin: 0 }}>{JSON.stringify(open.details ?? {}, null, 1)}</pre></dd>
          </dl>
        )}
      </Drawer>
    </div>
  )
}
