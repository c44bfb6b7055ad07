import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Progress, Tabs } from 'antd'
import { address, api } from '../api/client'
import { useMay } from '../api/session'
import type { ExportJob, Hold } from '../api/types'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { span, stamp, toUs } from '../parts/times'
import { bytes } from '../parts/units'
import { maybe, t, useLanguage } from '../words'

export function ExportsPage() {
  useLanguage()
  const maySee = useMay('hold.see')
  return (
    <div className="page">
      <div className="page-head"><h1>{t('page.exports')}</h1></div>
      <Tabs
        className="page-tabs" destroyOnHidden
        items={[
          { key: 'exports', label: t('page.exports'), children: <Exports /> },
          ...(maySee ? [{ key: 'holds', label: t('hold.list'), children: <Holds /> }] : []),
        ]}
      />
    </div>
  )
}

function Exports() {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const list = usePages(['exports'], 'exports', {}, 3000)
  const remove = (job: ExportJob) => {
    modal.confirm({
      title: t('export.delete', { name: `${job.channel_name ?? job.channel ?? ''} ${stamp(job.start)}` }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => api.remove('exports/{export}', { path: { export: job.id } }).then(() => queries.invalidateQueries({ queryKey: ['exports'] })).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  const columns: Column<ExportJob>[] = [
    { key: 'product', title: t('export.product'), width: '120px', value: (row) => row.product, cell: (row) => t(row.product === 'evidence' ? 'export.evidenceShort' : 'export.viewingShort') },
    { key: 'channel', title: t('word.channel'), width: 'minmax(160px, 1fr)', value: (row) => row.channel_name ?? '', cell: (row) => row.channel_name ?? row.channel },
    { key: 'from', title: t('export.from'), width: '176px', value: (row) => row.start, cell: (row) => stamp(row.start) },
    { key: 'length', title: t('export.length'), width: '90px', end: true, value: (row) => toUs(row.end) - toUs(row.start), cell: (row) => span((toUs(row.end) - toUs(row.start)) / 1e6) },
    {
      key: 'state', title: t('word.state'), width: '170px', value: (row) => row.state,
      cell: (row) => (row.state === 'running' ? <Progress percent={Math.round((row.progress ?? 0) * (row.progress && row.progress > 1 ? 1 : 100))} size="small" /> : <span title={row.sentence} className={row.state === 'failed' ? 'p2' : ''}>{maybe(`export.state.${row.state}`) ?? row.state}{row.sentence ? `: ${row.sentence}` : ''}</span>),
    },
    { key: 'reason', title: t('export.reason'), width: 'minmax(120px, 1fr)', value: (row) => row.reason ?? '', cell: (row) => row.reason || '–' },
    {
      key: 'files', title: t('export.files'), width: 'minmax(220px, 2fr)',
      cell: (row) => (row.files ?? []).map((file) => <a key={file.name} style={{ marginRight: 12 }} href={address('exports/{export}/files/{name}', { path: { export: row.id, name: file.name } })} download>{file.name} ({bytes(file.bytes)})</a>),
    },
    { key: 'made', title: t('user.created'), width: '110px', end: true, value: (row) => row.created_at ?? '', cell: (row) => <Age at={row.created_at} /> },
    { key: 'act', title: '', width: '80px', cell: (row) => <Button size="small" type="text" danger onClick={() => remove(row)}>{t(row.state === 'running' || row.state === 'waiting' ? 'verb.cancel' : 'verb.delete')}</Button> },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <Table
      name={t('page.exports')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} {...(list.more ? { more: list.more } : {})}
      empty={<div className="empty"><h2>{t('export.none')}</h2><span>{t('export.begin')}</span></div>}
    />
  )
}

function Holds() {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const mayRelease = useMay('hold.release')
  const list = usePages(['holds'], 'holds')
  const release = (hold: Hold) => {
    modal.confirm({
      title: t('hold.releaseAsk', { name: `${hold.channel_name ?? hold.channel} ${stamp(hold.start)}` }), okText: t('hold.release'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => api.remove('holds/{hold}', { path: { hold: hold.id } }).then(() => queries.invalidateQueries({ queryKey: ['holds'] })).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  const columns: Column<Hold>[] = [
    { key: 'channel', title: t('word.channel'), width: 'minmax(160px, 1fr)', value: (row) => row.channel_name ?? row.channel, cell: (row) => row.channel_name ?? row.channel },
    { key: 'from', title: t('export.from'), width: '170px', value: (row) => row.start, cell: (row) => stamp(row.start) },
    { key: 'to', title: t('export.to'), width: '170px', value: (row) => row.end, cell: (row) => stamp(row.end) },
    { key: 'reason', title: t('export.reason'), width: 'minmax(160px, 2fr)', value: (row) => row.reason, cell: (row) => row.reason },
    { key: 'by', title: t('audit.who'), width: '120px', value: (row) => row.created_by ?? '', cell: (row) => row.created_by ?? '–' },
    { key: 'act', title: '', width: '130px', cell: (row) => (mayRelease ? <Button size="small" onClick={() => release(row)}>{t('hold.release')}</Button> : null) },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return <Table name={t('hold.list')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} empty={<div className="empty">{t('hold.none')}</div>} />
}
