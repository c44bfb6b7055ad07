import { AppstoreAddOutlined, ClearOutlined, FullscreenOutlined, SyncOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Dropdown, Input, InputNumber, type MenuProps } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { sentence } from '../parts/problem'
import { useStore } from '../parts/store'
import { t } from '../words'
import { Tool } from './tools'
import { startTour, stopTour, tour } from './tour'
import { startAllTour } from './tours'
import { clear, load, pagesOf, resize, SIZES, type Size, wall } from './wall'

export function Bar({ onFull }: { onFull: () => void }) {
  const { size } = useStore(wall)
  return (
    <div className="wall-bar" role="toolbar" aria-label={t('live.layout')}>
      {SIZES.map((each) => (
        <Tool key={each} words={t('live.layout.n', { n: each })} on={each === size} onClick={() => resize(each)}><Grid size={each} /></Tool>
      ))}
      <span className="sep" />
      <Views />
      <Tours />
      <TourNote />
      <span className="grow" />
      <Tool words={t('live.clear')} onClick={clear}><ClearOutlined /></Tool>
      <Tool words={t('live.full')} onClick={onFull}><FullscreenOutlined /></Tool>
    </div>
  )
}

function Grid({ size }: { size: Size }) {
  const side = Math.sqrt(size)
  const step = 14 / side
  const cells = Array.from({ length: size }, (_, index) => (
    <rect key={index} x={1 + (index % side) * step} y={1 + Math.floor(index / side) * step} width={step - 1.5} height={step - 1.5} fill="currentColor" />
  ))
  return <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden>{cells}</svg>
}

function Views() {
  const { modal, message } = App.useApp()
  const queries = useQueryClient()
  const state = useStore(wall)
  const { data } = useQuery({ queryKey: ['views'], queryFn: ({ signal }) => api.get('views', { signal }), staleTime: 60_000 })
  const views = data?.items ?? []
  const current = views.find((view) => view.id === state.view)
  const layout = () => ({ size: wall.get().size, tiles: wall.get().tiles })
  const guard = (work: Promise<unknown>) =>
    work.then(() => queries.invalidateQueries({ queryKey: ['views'] })).catch((error: unknown) => void message.error(sentence(error)))
  const save = () => {
    let name = ''
    modal.confirm({
      title: t('live.view.save'), icon: null, okText: t('verb.save'), cancelText: t('verb.cancel'),
      content: <Input aria-label={t('live.view.name')} placeholder={t('live.view.name')} autoFocus maxLength={80} onChange={(event) => (name = event.target.value)} />,
      onOk: async () => {
        if (!name.trim()) return
        await guard(api.post('views', { body: { name: name.trim(), layout: layout() }, once: true }).then((made) => wall.set({ view: made.id })))
      },
    })
  }
  const items: MenuProps['items'] = [
    ...(views.length > 0
      ? views.map((view) => ({ key: `view ${view.id}`, label: view.id === state.view ? `${view.name} ✓` : view.name }))
      : [{ key: 'none', label: t('live.view.none'), disabled: true }]),
    { type: 'divider' as const },
    { key: 'save', label: t('live.view.save') },
    ...(current
      ? [
          { key: 'update', label: t('live.view.update', { name: current.name }) },
          { key: 'delete', label: `${t('verb.delete')}: ${current.name}`, danger: true },
        ]
      : []),
  ]
  const act = ({ key }: { key: string }) => {
    const [kind, id] = key.split(' ')
    const view = views.find((each) => each.id === id)
    if (kind === 'view' && view) load(view.layout.size, view.layout.tiles, view.id)
    else if (kind === 'save') save()
    else if (kind === 'update' && current) void guard(api.put('views/{view}', { path: { view: current.id }, body: { name: current.name, layout: layout(), shared: current.shared }, revision: current.revision }))
    else if (kind === 'delete' && current) void guard(api.remove('views/{view}', { path: { view: current.id } }).then(() => wall.set({ view: null })))
  }
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: act }}>
      <button type="button" className="plain-button"><AppstoreAddOutlined />{current?.name ?? t('live.views')}</button>
    </Dropdown>
  )
}

function Tours() {
  const { modal, message } = App.useApp()
  const queries = useQueryClient()
  const running = useStore(tour)
  const { data } = useQuery({ queryKey: ['tours'], queryFn: ({ signal }) => api.get('tours', { signal }), staleTime: 60_000 })
  const tours = data?.items ?? []
  const guard = (work: Promise<unknown>) =>
    work.then(() => queries.invalidateQueries({ queryKey: ['tours'] })).catch((error: unknown) => void message.error(sentence(error)))
  const create = () => {
    const channels = wall.get().tiles.filter((each) => each !== null)
    const source = running.channels.length > channels.length ? running.channels : channels
    const form = { name: '', seconds: 10 }
    modal.confirm({
      title: t('live.tour.new'), icon: null, okText: t('verb.save'), cancelText: t('verb.cancel'),
      content: <TourForm onChange={(change) => Object.assign(form, change)} />,
      onOk: async () => {
        if (form.name.trim() && source.length > 0) await guard(api.post('tours', { body: { name: form.name.trim(), seconds: form.seconds, channels: source }, once: true }))
      },
    })
  }
  const items: MenuProps['items'] = [
    ...(tours.length > 0
      ? tours.map((each) => ({
          key: `tour ${each.id}`, label: each.name,
          children: [{ key: `start ${each.id}`, label: t('live.tour.start') }, { key: `delete ${each.id}`, label: t('verb.delete'), danger: true }],
        }))
      : [{ key: 'none', label: t('live.tour.none'), disabled: true }]),
    { type: 'divider' as const },
    { key: 'new', label: t('live.tour.new') },
    { key: 'all', label: `${t('live.tour.start')}: ${t('word.all')}` },
    ...(running.running ? [{ key: 'stop', label: t('live.tour.stop') }] : []),
  ]
  const act = ({ key }: { key: string }) => {
    const [kind, id] = key.split(' ')
    const chosen = tours.find((each) => each.id === id)
    if (kind === 'start' && chosen) startTour(chosen.name, chosen.channels, chosen.seconds)
    else if (kind === 'delete' && chosen) void guard(api.remove('tours/{tour}', { path: { tour: chosen.id } }))
    else if (kind === 'new') create()
    else if (kind === 'stop') stopTour()
    else if (kind === 'all') void startAllTour(null)
  }
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: act }}>
      <button type="button" className="plain-button"><SyncOutlined />{t('live.tours')}</button>
    </Dropdown>
  )
}

function TourForm({ onChange }: { onChange: (change: { name?: string; seconds?: number }) => void }) {
  const [seconds, setSeconds] = useState(10)
  return (
    <div className="column">
      <Input aria-label={t('word.name')} placeholder={t('word.name')} autoFocus maxLength={80} onChange={(event) => onChange({ name: event.target.value })} />
      <label className="row">
        {t('live.tour.seconds')}
        <InputNumber
          min={3} max={600} value={seconds}
          onChange={(value) => {
            setSeconds(value ?? 10)
            onChange({ seconds: value ?? 10 })
          }}
        />
      </label>
    </div>
  )
}

function TourNote() {
  const state = useStore(tour)
  const { size } = useStore(wall)
  if (!state.running) return null
  const pages = pagesOf(state.channels, size).length
  return (
    <span className="row">
      <span className="badge">{t('live.tour.running', { name: state.name, page: state.page + 1, pages })}</span>
      <button type="button" className="plain-button" onClick={stopTour}>{t('live.tour.stop')}</button>
    </span>
  )
}
