import { useQuery } from '@tanstack/react-query'
import { Switch, Tabs } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api } from '../api/client'
import type { AnalysisHealth, ProcessHealth, StreamHealth, VolumeHealth } from '../api/types'
import { Age } from '../parts/age'
import { BrokerPanel } from '../parts/broker'
import { UpperPanel } from '../parts/upper'
import { ClockPanel, clockTrouble } from '../parts/clock'
import { ProblemNote, stepWords } from '../parts/problem'
import { StateMark, stateWords } from '../parts/state'
import { type Column, Table } from '../parts/table'
import { toUs } from '../parts/times'
import { bitRate, bytes } from '../parts/units'
import { t, useLanguage } from '../words'

const GOOD = new Set(['running', 'idle'])

/** For each stream what it brings, and where it stands still the failed step in words. */
export function HealthPage() {
  useLanguage()
  const { data, error, refetch, isPending } = useQuery({ queryKey: ['health'], queryFn: ({ signal }) => api.get('health', { signal }), refetchInterval: 3000 })
  const streams = data?.streams ?? []
  const count = (states: string[]) => streams.filter((each) => states.includes(each.state)).length
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('page.health')}</h1>
        {data && <span className="quiet">{t('health.summary', { running: count(['running']), lost: streams.filter((each) => !GOOD.has(each.state)).length, idle: count(['idle']) })}</span>}
        {data?.clock && clockTrouble(data.clock) && <span className="p2">▲ {t('health.clock')}: {data.clock.sentence}</span>}
        {data?.uppers.filter((one) => one.code).map((one) => <span key={one.place} className="p2">▲ {t('health.uppers')} {one.place}: {one.sentence}</span>)}
        {data?.broker?.code && <span className="p2">▲ {t('health.broker')}: {data.broker.sentence}</span>}
        {(data?.readings_waiting ?? 0) > 20 && <span className="p3">▲ {t('health.waiting', { n: data?.readings_waiting ?? 0 })}</span>}
        {(data?.readings_lost ?? 0) > 0 && <span className="p2">▲ {t('health.readingsLost', { n: data?.readings_lost ?? 0 })}</span>}
        {data?.second_reader === 'absent' && <span className="quiet">{t('health.oneReader')}</span>}
        {(data?.intruders ?? 0) > 0 && <span className="p3">▲ {t('health.intruders', { n: data?.intruders ?? 0 })}</span>}
        {(data?.udp_drops ?? 0) > 0 && <span className="p3">▲ {t('health.drops', { n: data?.udp_drops ?? 0 })}</span>}
      </div>
      {error && !data ? <div className="page-body"><ProblemNote error={error} retry={() => void refetch()} /></div> : (
        <Tabs
          className="page-tabs" destroyOnHidden
          items={[
            { key: 'streams', label: t('health.streams'), children: <Streams rows={streams} loading={isPending} now={data?.now} /> },
            { key: 'volumes', label: t('health.volumes'), children: <Volumes rows={data?.volumes ?? []} /> },
            { key: 'processes', label: t('health.processes'), children: <Processes rows={data?.processes ?? []} /> },
            { key: 'analysis', label: t('health.analysis'), children: <Analysis rows={data?.analysis ?? []} /> },
            ...(data && data.uppers.length > 0 ? [{ key: 'uppers', label: t('health.uppers'), children: <div className="cards">{data.uppers.map((one) => <UpperPanel key={one.place} upper={one} />)}</div> }] : []),
            ...(data?.broker ? [{ key: 'broker', label: t('health.broker'), children: <div className="cards"><BrokerPanel broker={data.broker} /></div> }] : []),
            ...(data?.clock ? [{ key: 'clock', label: t('health.clock'), children: <div className="cards"><ClockPanel clock={data.clock} /></div> }] : []),
          ]}
        />
      )}
    </div>
  )
}

function why(row: { step?: string | undefined; params?: Record<string, unknown> | undefined; sentence?: string | undefined }): string {
  return row.sentence || (row.step ? stepWords(row.step, row.params) : '')
}

function Streams({ rows, loading, now }: { rows: StreamHealth[]; loading: boolean; now: string | undefined }) {
  const navigate = useNavigate()
  const [trouble, setTrouble] = useState(false)
  const age = (row: StreamHealth) => (row.last_frame_at && now ? (toUs(now) - toUs(row.last_frame_at)) / 1e6 : -1)
  const shown = trouble ? rows.filter((row) => !GOOD.has(row.state) || age(row) > 3) : rows
  const columns: Column<StreamHealth>[] = [
    { key: 'state', title: t('word.state'), width: '104px', cell: (row) => <StateMark state={row.state} />, value: (row) => stateWords(row.state) },
    { key: 'name', title: t('word.channel'), width: 'minmax(130px, 2fr)', cell: (row) => row.channel_name || row.channel, value: (row) => row.channel_name || row.channel },
    { key: 'quality', title: t('health.quality'), width: '70px', cell: (row) => t(row.quality === 'sub' ? 'word.sub' : 'word.main'), value: (row) => row.quality },
    { key: 'picture', title: t('health.picture'), width: '134px', cell: (row) => [row.codec?.toUpperCase(), row.width ? `${row.width}×${row.height}` : ''].filter(Boolean).join(' ') || '–', value: (row) => row.codec },
    { key: 'rate', title: t('health.rate'), width: '96px', end: true, cell: (row) => (row.bits_per_second ? bitRate(row.bits_per_second) : '–'), value: (row) => row.bits_per_second },
    { key: 'fps', title: t('health.frames'), width: '72px', end: true, cell: (row) => (row.frames_per_second ? `${row.frames_per_second.toFixed(1)}/s` : '–'), value: (row) => row.frames_per_second },
    {
      key: 'age', title: t('health.age'), width: '96px', end: true, value: age,
      cell: (row) => (row.state === 'running' && age(row) >= 0 && age(row) <= 3 ? `${age(row).toFixed(1)} s` : <span className={row.last_frame_at && row.state !== 'idle' ? 'p2' : ''}><Age at={row.last_frame_at} /></span>),
    },
    { key: 'lost', title: t('health.lost'), width: '100px', end: true, cell: (row) => (row.packets ? `${row.packets_lost} (${((row.packets_lost / (row.packets + row.packets_lost)) * 100).toFixed(2)}%)` : '–'), value: (row) => row.packets_lost },
    { key: 'why', title: t('health.why'), width: 'minmax(120px, 3fr)', cell: (row) => <span title={why(row)}>{why(row) || '–'}</span>, value: (row) => why(row) },
    { key: 'recording', title: t('health.recording'), width: '76px', cell: (row) => (row.recording ? t('word.yes') : '–'), value: (row) => (row.recording ? 1 : 0) },
    { key: 'viewers', title: t('health.viewers'), width: '70px', end: true, cell: (row) => row.viewers, value: (row) => row.viewers },
    { key: 'transport', title: t('health.transport'), width: '76px', cell: (row) => row.transport || '–', value: (row) => row.transport },
    { key: 'reconnects', title: t('health.reconnects'), width: '90px', end: true, cell: (row) => row.reconnects ?? 0, value: (row) => row.reconnects ?? 0, spare: true },
    { key: 'damaged', title: t('health.damaged'), width: '110px', end: true, cell: (row) => row.units_damaged ?? 0, value: (row) => row.units_damaged ?? 0, spare: true },
  ]
  return (
    <Table
      name={t('health.streams')} rows={shown} columns={columns} id={(row) => `${row.channel} ${row.quality}`} loading={loading} onOpen={(row) => void navigate(`/channels/${row.channel}`)}
      tools={<label className="row"><Switch size="small" checked={trouble} onChange={setTrouble} aria-label={t('health.trouble')} />{t('health.trouble')}</label>}
      card={{
        height: 76,
        body: (row) => (
          <div className="card-lines">
            <div><b className="clip grow">{row.channel_name || row.channel}</b><span className="quiet">{t(row.quality === 'sub' ? 'word.sub' : 'word.main')}</span><StateMark state={row.state} /></div>
            <div>
              <span className="clip grow">{[row.codec?.toUpperCase(), row.width ? `${row.width}×${row.height}` : '', row.bits_per_second ? bitRate(row.bits_per_second) : '', row.frames_per_second ? `${row.frames_per_second.toFixed(1)}/s` : ''].filter(Boolean).join(' · ') || '–'}</span>
            </div>
            <div className="quiet"><span className="clip">{why(row) || `${t('health.lost')}: ${row.packets_lost} · ${t('health.viewers')}: ${row.viewers}`}</span></div>
          </div>
        ),
      }}
      empty={<div className="empty">{t('health.none')}</div>}
    />
  )
}

function Volumes({ rows }: { rows: VolumeHealth[] }) {
  return (
    <div className="cards">
      {rows.map((row) => {
        const part = (value: number) => `${Math.min(100, (value / Math.max(1, row.total_bytes)) * 100)}%`
        const other = Math.max(0, row.total_bytes - row.free_bytes - row.recorded_bytes)
        return (
          <div key={`${row.slot ?? ''} ${row.name}`} className="panel column">
            <div className="row"><b className="grow">{row.name}</b><StateMark state={row.state} /></div>
            <div className="meter" role="img" aria-label={t('health.free', { free: bytes(row.free_bytes), total: bytes(row.total_bytes) })}>
              <i style={{ width: part(other), opacity: 0.4 }} />
              <i style={{ width: part(row.recorded_bytes - row.held_bytes) }} />
              <i className="held" style={{ width: part(row.held_bytes) }} />
            </div>
            <div className="row wrap">
              <span>{t('health.free', { free: bytes(row.free_bytes), total: bytes(row.total_bytes) })}</span>
              <span className="quiet">{t('health.recorded', { bytes: bytes(row.recorded_bytes) })}</span>
              <span className="quiet">{t('health.held', { bytes: bytes(row.held_bytes) })}</span>
            </div>
            <dl className="facts">
              <dt>{t('health.path')}</dt><dd className="mono">{row.path}</dd>
              <dt>{t('health.layout')}</dt><dd>{row.layout} · {row.mode}{row.slot ? ` · ${row.slot}` : ''}</dd>
            </dl>
            {(row.sentence || row.code) && <span className="p2">▲ {row.sentence || row.code}</span>}
          </div>
        )
      })}
    </div>
  )
}

function Processes({ rows }: { rows: ProcessHealth[] }) {
  const columns: Column<ProcessHealth>[] = [
    { key: 'state', title: t('word.state'), width: '110px', cell: (row) => <StateMark state={row.state} />, value: (row) => stateWords(row.state) },
    { key: 'name', title: t('word.name'), width: 'minmax(140px, 1fr)', cell: (row) => row.name, value: (row) => row.name },
    { key: 'pid', title: t('health.pid'), width: '100px', end: true, cell: (row) => row.pid ?? '–', value: (row) => row.pid ?? 0 },
    { key: 'since', title: t('health.since'), width: '140px', end: true, cell: (row) => <Age at={row.since} />, value: (row) => row.since ?? '' },
    { key: 'restarts', title: t('health.restarts'), width: '100px', end: true, cell: (row) => row.restarts ?? 0, value: (row) => row.restarts ?? 0 },
    { key: 'lag', title: t('health.lag'), width: '110px', end: true, cell: (row) => (row.lag_ms === null || row.lag_ms === undefined ? '–' : `${row.lag_ms.toFixed(1)} ms`), value: (row) => row.lag_ms ?? 0 },
    { key: 'memory', title: t('health.memory'), width: '110px', end: true, cell: (row) => (row.memory_bytes ? bytes(row.memory_bytes) : '–'), value: (row) => row.memory_bytes ?? 0 },
    { key: 'why', title: t('health.why'), width: 'minmax(160px, 2fr)', cell: (row) => why(row) || '–', value: (row) => why(row) },
  ]
  return <Table name={t('health.processes')} rows={rows} columns={columns} id={(row) => row.name} filter={false} />
}

/** What each camera that is looked at gets of the processors, and what comes of it. */
function Analysis({ rows }: { rows: AnalysisHealth[] }) {
  const less = (row: AnalysisHealth) => row.granted_fps < row.wanted_fps * 0.95 && row.state !== 'left_out'
  const keys = (row: AnalysisHealth) => less(row) && row.granted_fps === 0
  const leftOut = rows.filter((row) => row.state === 'left_out').length
  const columns: Column<AnalysisHealth>[] = [
    { key: 'state', title: t('word.state'), width: '124px', cell: (row) => <StateMark state={row.state} />, value: (row) => stateWords(row.state) },
    { key: 'name', title: t('word.channel'), width: 'minmax(140px, 2fr)', cell: (row) => row.channel_name, value: (row) => row.channel_name },
    {
      key: 'fps', title: t('health.analysis.fps'), width: '150px', end: true, value: (row) => row.fps,
      cell: (row) => (
        <span className={less(row) ? 'p3' : ''} title={less(row) ? t(keys(row) ? 'health.analysis.keysHint' : 'health.analysis.less') : undefined}>
          {less(row) ? '▲ ' : ''}{keys(row) ? t('health.analysis.keys') : t('health.analysis.of', { n: row.fps.toFixed(1), wanted: row.wanted_fps.toFixed(0) })}
        </span>
      ),
    },
    { key: 'still', title: t('health.analysis.still'), width: '110px', end: true, cell: (row) => `${Math.round(row.still * 100)}%`, value: (row) => row.still },
    { key: 'decode', title: t('health.analysis.decode'), width: '110px', end: true, cell: (row) => `${row.decode_ms.toFixed(0)} ms/s`, value: (row) => row.decode_ms },
    { key: 'look', title: t('health.analysis.look'), width: '110px', end: true, cell: (row) => `${row.look_ms.toFixed(1)} ms`, value: (row) => row.look_ms },
    { key: 'vehicles', title: t('health.analysis.vehicles'), width: '100px', end: true, cell: (row) => row.vehicles, value: (row) => row.vehicles },
    { key: 'crashes', title: t('health.analysis.crashes'), width: '130px', end: true, cell: (row) => row.crashes, value: (row) => row.crashes },
    { key: 'noVehicle', title: t('health.analysis.noVehicle'), width: '110px', end: true, cell: (row) => <span title={t('health.analysis.noVehicleHint')}>{row.no_vehicle}</span>, value: (row) => row.no_vehicle },
    { key: 'notRead', title: t('health.analysis.notRead'), width: '120px', end: true, cell: (row) => <span title={t('health.analysis.notReadHint')}>{row.not_read}</span>, value: (row) => row.not_read },
    { key: 'unpictured', title: t('health.analysis.unpictured'), width: '130px', end: true, cell: (row) => row.unpictured, value: (row) => row.unpictured },
    { key: 'slot', title: t('health.pid'), width: '100px', cell: (row) => row.slot, value: (row) => row.slot },
  ]
  return (
    <Table
      name={t('health.analysis')} rows={rows} columns={columns} id={(row) => row.channel} filter={false}
      tools={leftOut > 0 && <span className="p2">▲ {t('health.analysis.leftOut', { n: leftOut })}</span>}
      empty={<div className="empty">{t('health.analysis.none')}</div>}
    />
  )
}
