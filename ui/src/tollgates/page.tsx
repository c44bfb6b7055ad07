import { PlusOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Tabs } from 'antd'
import { useState } from 'react'
import { useSearchParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Subscription, Tollgate } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Column, Table } from '../parts/table'
import { type Key, maybe, t, useLanguage } from '../words'
import { Clones } from './clones'
import { TollgateForm } from './form'
import { Passages } from './passages'

/** Places that record every passing vehicle, what they recorded, and who else is told of it. */
export function TollgatesPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const [open, setOpen] = useState<Tollgate | 'new' | null>(null)
  const mayChange = useMay('tollgate.change')
  const maySee = useMay('passage.see')
  const maySubscriptions = useMay('subscription.see')
  const items = [
    { key: 'tollgates', label: t('page.tollgates'), children: <Tollgates onOpen={mayChange ? setOpen : undefined} /> },
    ...(maySee ? [{ key: 'passages', label: t('passage.title'), children: <Passages /> }, { key: 'clones', label: t('vehicle.clones'), children: <Clones /> }] : []),
    ...(maySubscriptions ? [{ key: 'subscriptions', label: t('subscription.title'), children: <Subscriptions /> }] : []),
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.tollgates')}</h1>
        <span className="grow" />
        {mayChange && <Button type="primary" icon={<PlusOutlined />} onClick={() => setOpen('new')}>{t('tollgate.add')}</Button>}
      </div>
      <Tabs className="page-tabs" activeKey={query.get('tab') ?? 'tollgates'} onChange={(key) => setQuery({ tab: key })} items={items} destroyOnHidden />
      {open !== null && <TollgateForm gate={open === 'new' ? null : open} onClose={() => setOpen(null)} />}
    </div>
  )
}

function Tollgates({ onOpen }: { onOpen: ((row: Tollgate) => void) | undefined }) {
  const list = usePages(['tollgates'], 'tollgates', {}, 30_000)
  const purposes = (row: Tollgate) => row.purposes.map((each) => t(`purpose.${each}` as Key)).join(', ')
  const lanes = (row: Tollgate) => row.lanes.map((lane) => `${lane.number} ${t(`tollgate.direction.${lane.direction}` as Key)}`).join(' · ')
  const columns: Column<Tollgate>[] = [
    { key: 'name', title: t('word.name'), width: 'minmax(160px, 2fr)', cell: (row) => row.name, value: (row) => row.name },
    { key: 'code', title: t('word.code'), width: '196px', cell: (row) => row.code || '–', value: (row) => row.code },
    { key: 'lanes', title: t('tollgate.lanes'), width: 'minmax(160px, 2fr)', cell: (row) => <span title={lanes(row)}>{lanes(row) || '–'}</span>, value: lanes },
    { key: 'purposes', title: t('tollgate.purposes'), width: 'minmax(140px, 1fr)', cell: purposes, value: purposes },
    { key: 'retention', title: t('tollgate.retention'), width: '120px', end: true, cell: (row) => row.retention_days, value: (row) => row.retention_days },
    { key: 'restricted', title: t('tollgate.restricted'), width: '150px', cell: (row) => (row.restricted ? t('word.yes') : '–'), value: (row) => (row.restricted ? 1 : 0) },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <Table
      name={t('page.tollgates')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} {...(onOpen ? { onOpen } : {})}
      card={{
        height: 56,
        body: (row) => (
          <div className="card-lines">
            <div><b className="clip grow">{row.name}</b></div>
            <div className="quiet"><span className="clip">{[row.code, lanes(row)].filter(Boolean).join(' · ')}</span></div>
          </div>
        ),
      }}
      {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('tollgate.none')}</h2><span>{t('tollgate.begin')}</span></div>}
    />
  )
}

function Subscriptions() {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const mayDecide = useMay('subscription.decide')
  const list = usePages(['subscriptions'], 'subscriptions', {}, 15_000)
  const decide = async (row: Subscription, accept: boolean) => {
    try {
      const asked = { path: { subscription: row.id }, body: { revision: row.revision } } // what was looked at: the library may wish something else by now
      if (accept) await api.post('subscriptions/{subscription}/accept', asked)
      else await api.post('subscriptions/{subscription}/refuse', asked)
      await queries.invalidateQueries({ queryKey: ['subscriptions'] })
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  const acts = (row: Subscription) => mayDecide && (
    <span className="row" onClick={(event) => event.stopPropagation()}>
      {(row.state === 'pending' || row.state === 'refused') && <Button size="small" onClick={() => void decide(row, true)}>{t('subscription.accept')}</Button>}
      {(row.state === 'pending' || row.state === 'active') && <Button size="small" type="text" onClick={() => void decide(row, false)}>{t('subscription.refuse')}</Button>}
    </span>
  )
  const state = (row: Subscription) => maybe(`subscription.state.${row.state}`) ?? row.state
  const columns: Column<Subscription>[] = [
    { key: 'state', title: t('word.state'), width: '140px', cell: state, value: state },
    { key: 'title', title: t('word.name'), width: 'minmax(140px, 1fr)', cell: (row) => <span title={row.reason}>{row.title || row.subscribe_id}</span>, value: (row) => row.title },
    { key: 'applicant', title: t('subscription.applicant'), width: 'minmax(120px, 1fr)', cell: (row) => row.applicant || '–', value: (row) => row.applicant },
    { key: 'what', title: t('subscription.what'), width: '110px', cell: (row) => row.details, value: (row) => row.details },
    { key: 'address', title: t('subscription.address'), width: 'minmax(200px, 2fr)', cell: (row) => <span title={row.last_error}>{row.receive_addr}{row.last_error && <span className="p2"> ▲ {row.last_error}</span>}</span>, value: (row) => row.receive_addr },
    { key: 'delivered', title: t('subscription.delivered'), width: '100px', end: true, cell: (row) => row.delivered, value: (row) => row.delivered },
    { key: 'act', title: '', width: '180px', cell: acts },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <Table
      name={t('subscription.title')} rows={list.rows} columns={columns} id={(row) => row.id} loading={list.loading} rowHeight={36} filter={false}
      card={{
        height: 96,
        body: (row) => (
          <div className="card-lines">
            <div><b className="clip grow">{row.title || row.subscribe_id}</b><span className="quiet">{state(row)}</span></div>
            <div className="quiet"><span className="clip">{row.receive_addr}</span></div>
            <div>{acts(row)}</div>
          </div>
        ),
      }}
      {...(list.more ? { more: list.more } : {})} empty={<div className="empty">{t('subscription.none')}</div>}
    />
  )
}
