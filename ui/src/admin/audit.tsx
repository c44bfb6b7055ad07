import { Drawer } from 'antd'
import { useState } from 'react'
import type { AuditRecord } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { maybe, t, useLanguage } from '../words'

/** Who did or watched what, when and why; a record is shown whole, with its place in the chain. */
export function AuditPage() {
  useLanguage()
  const list = usePages<AuditRecord>(['audit'], 'audit', {}, 15_000)
  const [open, setOpen] = useState<AuditRecord | null>(null)
  const columns: Column<AuditRecord>[] = [
    { key: 'at', title: t('word.time'), width: '160px', value: (row) => row.at, cell: (row) => stamp(row.at) },
    { key: 'who', title: t('audit.who'), width: 'minmax(110px, 1fr)', value: (row) => row.actor_name ?? '', cell: (row) => row.actor_name || row.actor || '–' },
    { key: 'action', title: t('audit.action'), width: 'minmax(150px, 1fr)', value: (row) => row.action, cell: (row) => <span className="mono">{row.action}</span> },
    { key: 'object', title: t('audit.object'), width: 'minmax(180px, 2fr)', value: (row) => row.object_name ?? '', cell: (row) => row.object_name || row.object || '–' },
    { key: 'outcome', title: t('audit.outcome'), width: '100px', value: (row) => row.outcome ?? '', cell: (row) => <span className={row.outcome === 'denied' || row.outcome === 'failed' ? 'p2' : ''}>{maybe(`outcome.${row.outcome ?? ''}`) ?? row.outcome}</span> },
    { key: 'reason', title: t('audit.reason'), width: 'minmax(140px, 1fr)', value: (row) => row.reason ?? '', cell: (row) => row.reason || '–' },
    { key: 'address', title: t('word.address'), width: '130px', value: (row) => row.address ?? '', cell: (row) => row.address || '–' },
  ]
  return (
    <div className="page">
      <div className="page-head"><h1>{t('page.audit')}</h1></div>
      <div className="page-body">
        {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
          <Table name={t('page.audit')} rows={list.rows} columns={columns} id={(row) => row.id} onOpen={setOpen} loading={list.loading} {...(list.more ? { more: list.more } : {})} empty={<div className="empty">{t('audit.none')}</div>} />
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
