import { PlusOutlined } from '@ant-design/icons'
import { Button, Input, Segmented } from 'antd'
import { useState } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { useMay } from '../api/session'
import type { Case } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { type Key, t, useLanguage } from '../words'
import { CaseForm } from './form'

const STATES = ['open', 'closed', ''] as const

/** All cases that one reads. */
export function CasesPage() {
  useLanguage()
  const navigate = useNavigate()
  const [query, setQuery] = useSearchParams()
  const state = query.get('state') === 'closed' ? 'closed' : query.get('state') === 'all' ? '' : 'open'
  const [text, setText] = useState('')
  const [opening, setOpening] = useState(false)
  const mayOpen = useMay('case.open')
  const list = usePages(['cases', 'list'], 'cases', { state, q: text })
  const columns: Column<Case>[] = [
    { key: 'number', title: t('case.number'), width: 'minmax(130px, 1fr)', cell: (row) => <b>{row.number}</b>, value: (row) => row.number },
    { key: 'title', title: t('case.title'), width: 'minmax(180px, 3fr)', cell: (row) => <span title={row.title}>{row.title}</span>, value: (row) => row.title },
    { key: 'state', title: t('word.state'), width: '100px', cell: (row) => t(`case.state.${row.state}`), value: (row) => row.state },
    { key: 'purpose', title: t('case.purpose'), width: '110px', cell: (row) => t(`purpose.${row.purpose}` as Key), value: (row) => row.purpose },
    { key: 'owner', title: t('case.owner'), width: 'minmax(100px, 1fr)', cell: (row) => row.owner_name, value: (row) => row.owner_name },
    { key: 'entries', title: t('case.entries'), width: '90px', end: true, cell: (row) => row.entries, value: (row) => row.entries },
    { key: 'opened', title: t('case.opened'), width: '170px', cell: (row) => stamp(row.opened_at), value: (row) => row.opened_at },
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.cases')}</h1>
        <Segmented value={state} onChange={(value) => setQuery(value === 'open' ? {} : { state: value || 'all' })} options={STATES.map((value) => ({ value, label: value ? t(`case.state.${value}`) : t('case.all') }))} />
        <Input.Search allowClear placeholder={t('case.find')} aria-label={t('case.find')} style={{ width: 200 }} onSearch={setText} />
        <span className="grow" />
        {mayOpen && <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpening(true)}>{t('case.open')}</Button>}
      </div>
      <div className="page-body">
        {list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : (
          <Table
            name={t('page.cases')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} filter={false} onOpen={(row) => void navigate(`/cases/${row.id}`)}
            card={{
              height: 84,
              body: (row) => (
                <div className="card-lines">
                  <div><b className="clip grow">{row.number}</b><span className="quiet">{t(`case.state.${row.state}`)}</span></div>
                  <div><span className="clip">{row.title}</span></div>
                  <div className="quiet">{row.owner_name} · {stamp(row.opened_at)}</div>
                </div>
              ),
            }}
            {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('case.none')}</h2><span>{t('case.begin')}</span></div>}
          />
        )}
      </div>
      {opening && <CaseForm onClose={() => setOpening(false)} />}
    </div>
  )
}
