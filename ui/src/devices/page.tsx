import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Tabs } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Channel, Device, UnknownDevice } from '../api/types'
import { Age } from '../parts/age'
import { usePages } from '../parts/pages'
import { ProblemNote } from '../parts/problem'
import { StateMark, stateWords } from '../parts/state'
import { type Column, Table } from '../parts/table'
import { maybe, t, useLanguage } from '../words'
import { AddDevice } from './add'

export function DevicesPage() {
  useLanguage()
  const [query, setQuery] = useSearchParams()
  const [adding, setAdding] = useState<{ code: string; kind?: UnknownDevice['kind'] } | null>(query.get('add') ? { code: '' } : null)
  const mayAdd = useMay('device.add')
  const tab = query.get('tab') ?? 'devices'
  const unknown = useQuery({
    queryKey: ['devices', 'unknown'],
    queryFn: ({ signal }) => api.get('devices/unknown', { signal }),
    refetchInterval: 10_000,
    enabled: mayAdd,
  })
  const items = [
    { key: 'devices', label: t('page.devices'), children: <Devices /> },
    { key: 'channels', label: t('device.channels'), children: <Channels /> },
    ...(mayAdd ? [{ key: 'unknown', label: `${t('device.unknown')} ${unknown.data?.items.length ?? 0}`, children: <Unknown rows={unknown.data?.items ?? []} onAdd={(row) => setAdding({ code: row.code, kind: row.kind })} /> }] : []),
  ]
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.devices')}</h1>
        <span className="grow" />
        {mayAdd && <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding({ code: '' })}>{t('device.add')}</Button>}
      </div>
      <Tabs className="page-tabs" activeKey={tab} onChange={(key) => setQuery({ tab: key })} items={items} destroyOnHidden />
      {adding && <AddDevice code={adding.code} {...(adding.kind ? { kind: adding.kind } : {})} onClose={() => setAdding(null)} />}
    </div>
  )
}

function Devices() {
  const navigate = useNavigate()
  const list = usePages(['devices'], 'devices', {}, 15_000)
  const columns: Column<Device>[] = [
    { key: 'state', title: t('word.state'), width: '110px', cell: (row) => <StateMark state={row.state} />, value: (row) => stateWords(row.state) },
    { key: 'name', title: t('word.name'), width: 'minmax(140px, 2fr)', cell: (row) => <Link to={`/devices/${row.id}`}>{row.name}</Link>, value: (row) => row.name },
    { key: 'kind', title: t('word.kind'), width: '110px', cell: (row) => maybe(`device.kind.${row.kind}`) ?? row.kind, value: (row) => row.kind },
    { key: 'code', title: t('word.code'), width: '196px', cell: (row) => row.code || '–', value: (row) => row.code ?? '' },
    { key: 'address', title: t('word.address'), width: 'minmax(140px, 1fr)', cell: (row) => row.address || '–', value: (row) => row.address ?? '' },
    { key: 'channels', title: t('device.channels'), width: '90px', end: true, cell: (row) => row.channels ?? 0, value: (row) => row.channels ?? 0 },
    { key: 'maker', title: t('device.manufacturer'), width: 'minmax(110px, 1fr)', cell: (row) => row.manufacturer || '–', value: (row) => row.manufacturer ?? '' },
    { key: 'model', title: t('device.model'), width: 'minmax(110px, 1fr)', cell: (row) => row.model || '–', value: (row) => row.model ?? '' },
    { key: 'keepalive', title: t('device.keepalive'), width: '120px', end: true, cell: (row) => <Age at={row.last_keepalive} />, value: (row) => row.last_keepalive ?? '' },
    { key: 'firmware', title: t('device.firmware'), width: '120px', cell: (row) => row.firmware || '–', value: (row) => row.firmware ?? '', spare: true },
    { key: 'transport', title: t('device.transport'), width: '100px', cell: (row) => row.transport || '–', value: (row) => row.transport ?? '', spare: true },
  ]
  if (list.error) return <ProblemNote error={list.error} retry={list.refetch} />
  return (
    <Table
      name={t('page.devices')} rows={list.rows} columns={columns} id={(row) => row.id} onOpen={(row) => void navigate(`/devices/${row.id}`)} loading={list.loading}
      card={{
        height: 56,
        body: (row) => (
          <div className="card-lines">
            <div><b className="clip grow">{row.name}</b><StateMark state={row.state} /></div>
            <div className="quiet"><span className="clip">{[maybe(`device.kind.${row.kind}`), row.manufacturer, row.model, row.address].filter(Boolean).join(' · ')}</span></div>
          </div>
        ),
      }}
      {...(list.more ? { more: list.more } : {})} empty={<div className="empty"><h2>{t('device.none')}</h2><span>{t('device.begin')}</span></div>}
    />
  )
}

function Channels() {
  const navigate = useNavigate()
  const list = usePages(['channels', 'list'], 'channels', {}, 15_000)
  return list.error ? <ProblemNote error={list.error} retry={list.refetch} /> : <ChannelTable rows={list.rows} loading={list.loading} more={list.more} onOpen={(row) => void navigate(`/channels/${row.id}`)} />
}

export function ChannelTable({ rows, loading, more, onOpen }: { rows: Channel[]; loading: boolean; more: (() => void) | undefined; onOpen: (row: Channel) => void }) {
  const columns: Column<Channel>[] = [
    { key: 'state', title: t('word.state'), width: '110px', cell: (row) => <StateMark state={row.state} />, value: (row) => stateWords(row.state) },
    { key: 'name', title: t('word.name'), width: 'minmax(140px, 2fr)', cell: (row) => <Link to={`/channels/${row.id}`}>{row.name}</Link>, value: (row) => row.name },
    { key: 'why', title: t('health.why'), width: 'minmax(120px, 2fr)', cell: (row) => <span title={row.sentence}>{row.sentence || '–'}</span>, value: (row) => row.sentence ?? '' },
    { key: 'device', title: t('word.device'), width: 'minmax(140px, 1fr)', cell: (row) => <Link to={`/devices/${row.device}`} onClick={(event) => event.stopPropagation()}>{row.device_name || row.device}</Link>, value: (row) => row.device_name ?? '' },
    { key: 'area', title: t('word.area'), width: 'minmax(100px, 1fr)', cell: (row) => row.area_name || '–', value: (row) => row.area_name ?? '' },
    { key: 'code', title: t('word.code'), width: '196px', cell: (row) => row.code || '–', value: (row) => row.code ?? '' },
    { key: 'mode', title: t('channel.mode'), width: '120px', cell: (row) => maybe(`channel.mode.${row.record?.mode ?? 'off'}`) ?? '–', value: (row) => row.record?.mode ?? '' },
    { key: 'ptz', title: t('live.ptz'), width: '60px', cell: (row) => (row.ptz ? t('word.yes') : '–'), value: (row) => (row.ptz ? 1 : 0), spare: true },
  ]
  const card = (row: Channel) => (
    <div className="card-lines">
      <div><b className="clip grow">{row.name}</b><StateMark state={row.state} /></div>
      <div className="quiet"><span className="clip">{[row.sentence, row.device_name, row.area_name].filter(Boolean).join(' · ')}</span></div>
    </div>
  )
  return <Table name={t('device.channels')} rows={rows} columns={columns} id={(row) => row.id} onOpen={onOpen} loading={loading} card={{ height: 56, body: card }} {...(more ? { more } : {})} />
}

function Unknown({ rows, onAdd }: { rows: UnknownDevice[]; onAdd: (row: UnknownDevice) => void }) {
  const columns: Column<UnknownDevice>[] = [
    { key: 'code', title: t('word.code'), width: '196px', cell: (row) => row.code, value: (row) => row.code },
    { key: 'address', title: t('word.address'), width: 'minmax(160px, 1fr)', cell: (row) => `${row.address} ${row.transport}`, value: (row) => row.address },
    { key: 'kind', title: t('word.kind'), width: '110px', cell: (row) => maybe(`device.kind.${row.kind}`) ?? row.kind, value: (row) => row.kind },
    { key: 'agent', title: t('device.model'), width: 'minmax(160px, 1fr)', cell: (row) => row.user_agent || '–', value: (row) => row.user_agent },
    { key: 'attempts', title: t('device.attempts'), width: '100px', end: true, cell: (row) => row.attempts, value: (row) => row.attempts },
    { key: 'seen', title: t('device.lastSeen'), width: '130px', end: true, cell: (row) => <Age at={row.last_seen} />, value: (row) => row.last_seen },
    { key: 'add', title: '', width: '90px', cell: (row) => <Button size="small" onClick={() => onAdd(row)}>{t('verb.add')}</Button> },
  ]
  return (
    <Table
      name={t('device.unknown')} rows={rows} columns={columns} id={(row) => row.code} tools={<span className="quiet">{t('device.unknownExplain')}</span>} filter={false}
      empty={<div className="empty">{t('device.unknownNone')}</div>}
    />
  )
}
