import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import { useMay } from '../api/session'
import type { TravelSection, TravelTime } from '../api/types'
import { More } from '../parts/more'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { toUs } from '../parts/times'
import { type Key, t } from '../words'
import { longer, type Point } from './spark'
import { Sparkline } from './sparkline'

type NewSection = Body<'post', 'traffic/sections'>
const DAY = 86_400_000_000
const SIX_HOURS = DAY / 4
const SLOW = 30

/** How long it takes from one checkpoint to another: now, usually, and through the day. */
export function TravelTimes({ onLook }: { onLook?: (place: [number, number]) => void }) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('traffic.change')
  const [adding, setAdding] = useState(false)
  const [chosen, setChosen] = useState('')
  const list = usePages(['traffic', 'sections'], 'traffic/sections', {}, 30_000)
  const renew = () => queries.invalidateQueries({ queryKey: ['traffic', 'sections'] })
  const choose = (one: TravelSection) => {
    setChosen(one.id === chosen ? '' : one.id)
    const [longitude, latitude] = one.exit_place
    if (longitude !== undefined && latitude !== undefined) onLook?.([longitude, latitude])
  }
  const remove = (one: TravelSection) => modal.confirm({
    title: t('times.removeAsk', { name: one.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
    onOk: async () => {
      try {
        await api.remove('traffic/sections/{travel_section}', { path: { travel_section: one.id } })
      } catch (failed) {
        void message.error(sentence(failed))
      }
      await renew()
    },
  })
  const sections = list.rows
  return (
    <div className="traffic-panel">
      <div className="row"><span className="quiet grow">{t('times.hint')}</span>{mayChange && <Button size="small" onClick={() => setAdding(!adding)}>{t('times.add')}</Button>}</div>
      {adding && <NewSectionForm onDone={async () => { setAdding(false); await renew() }} />}
      {list.error && <ProblemNote error={list.error} />}
      {!list.loading && !list.error && sections.length === 0 && <span className="quiet">{t('times.none')}</span>}
      <ul className="traffic-list">
        {sections.map((one) => (
          <li key={one.id}>
            <button type="button" className={`traffic-way travel${one.id === chosen ? ' chosen' : ''}`} aria-expanded={one.id === chosen} onClick={() => choose(one)}>
              <b className="grow">{one.name}</b>
              <Sparkline points={pointsOf(one.recent)} until={list.at * 1000} span={SIX_HOURS} width={90} height={22} label={t('times.hoursOf', { n: one.recent.length })} />
              <Now one={one} />
            </button>
            {one.id === chosen && <Day section={one} onRemove={mayChange ? () => remove(one) : undefined} />}
          </li>
        ))}
      </ul>
      <More more={list.more} />
    </div>
  )
}

function Now({ one }: { one: TravelSection }) {
  if (!one.enabled) return <span className="quiet">{t('times.off')}</span>
  if (!one.now) return <span className="quiet">{t(one.least > 1 ? 'times.few' : 'times.nobody', { n: one.least })}</span>
  const more = one.usual_seconds === null ? null : longer(one.now.seconds, one.usual_seconds)
  return (
    <>
      <b>{duration(one.now.seconds)}</b>
      <span>{t('traffic.kmh', { n: Math.round(one.now.speed_kmh) })}</span>
      {more !== null && <span className={more >= SLOW ? 'p2' : 'quiet'}>{more >= SLOW && '▲ '}{t('times.usual', { at: duration(one.usual_seconds!), n: more > 0 ? `+${more}` : more })}</span>}
    </>
  )
}

function Day({ section, onRemove }: { section: TravelSection; onRemove: (() => void) | undefined }) {
  const asked = useQuery({
    queryKey: ['traffic', 'sections', section.id, 'times'], refetchInterval: 60_000,
    queryFn: ({ signal }) => api.get('traffic/sections/{travel_section}/times', { path: { travel_section: section.id }, query: { limit: 300 }, signal }),
  })
  const now = section.now
  return (
    <div className="travel-day">
      <span className="quiet">{t('times.way', { entry: section.entry_name || '–', exit: section.exit_name || '–', km: (section.length_m / 1000).toFixed(1) })}</span>
      {now && <span>{t('times.facts', { low: duration(now.low_seconds), high: duration(now.high_seconds), vehicles: now.vehicles, out: now.left_out })}</span>}
      {asked.error && <ProblemNote error={asked.error} />}
      {asked.data && (
        <Sparkline points={pointsOf(asked.data.items)} until={asked.dataUpdatedAt * 1000} span={DAY} width={290} height={80} label={t('times.dayOf', { n: asked.data.items.length })} upTo={(most) => t('times.upTo', { n: duration(most) })} />
      )}
      <span className="quiet">{t('times.private')}</span>
      {onRemove && <Button size="small" danger onClick={onRemove}>{t('verb.delete')}</Button>}
    </div>
  )
}

function NewSectionForm({ onDone }: { onDone: () => Promise<unknown> }) {
  const [problem, setProblem] = useState<unknown>(null)
  const gates = useQuery({ queryKey: ['tollgates', 'names'], queryFn: ({ signal }) => api.get('tollgates', { query: { limit: 500 }, signal }) })
  const options = gates.data?.items.map((gate) => ({ value: gate.id, label: gate.name })) ?? []
  const add = async (filled: NewSection) => {
    try {
      await api.post('traffic/sections', { body: filled, once: true })
      setProblem(null)
      await onDone()
    } catch (failed) {
      setProblem(failed)
    }
  }
  const required = (of: Key) => [{ required: true, message: t(of) }]
  return (
    <Form<NewSection> className="traffic-form" layout="vertical" requiredMark={false} onFinish={(filled) => void add(filled)}>
      {problem !== null && <ProblemNote error={problem} />}
      <Form.Item name="name" label={t('word.name')} rules={required('word.name')}><Input maxLength={200} /></Form.Item>
      <Form.Item name="entry" label={t('times.entry')} rules={required('times.entry')}><Select options={options} showSearch optionFilterProp="label" /></Form.Item>
      <Form.Item name="exit" label={t('times.exit')} rules={required('times.exit')}><Select options={options} showSearch optionFilterProp="label" /></Form.Item>
      <Form.Item name="length_m" label={t('times.length')} rules={required('times.length')}><InputNumber min={100} max={100_000} style={{ width: 130 }} /></Form.Item>
      <Button type="primary" htmlType="submit">{t('times.add')}</Button>
    </Form>
  )
}

function pointsOf(times: TravelTime[]): Point[] {
  return times.map((one) => ({ at: toUs(one.at), value: one.seconds, low: one.low_seconds, high: one.high_seconds }))
}

/** 5:07 */
function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
