import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Input, InputNumber, Select, Switch } from 'antd'
import { useState } from 'react'
import { PlaceSelect } from '../admin/choose'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Device, Fence } from '../api/types'
import { ProblemNote, sentence } from '../parts/problem'
import { local, stamp } from '../parts/times'
import { moment } from '../tollgates/search'
import type { Point } from '../traffic/view'
import { SeatsField } from '../watches/seats'
import { type Key, t } from '../words'

const SHAPES = ['circle', 'rectangle', 'polygon', 'route'] as const
const PRIORITIES = [1, 2, 3, 4] as const
const DAYS = [1, 2, 3, 4, 5, 6, 7]
const LEAST: Record<Fence['kind'], number> = { circle: 1, rectangle: 2, polygon: 3, route: 2 }

/** A fence that is being drawn. */
export interface Draft {
  kind: Fence['kind']
  points: Point[]
  metres: number
  /** The one that is being changed, if it is none that is new. */
  fence?: Fence
}

export const EMPTY: Draft = { kind: 'circle', points: [], metres: 200 }

/** Its points with one more: a circle has one place, a rectangle two. */
export function withPoint(draft: Draft, point: Point): Draft {
  const most = draft.kind === 'circle' ? 1 : draft.kind === 'rectangle' ? 2 : 200
  return { ...draft, points: draft.points.length >= most ? [point] : [...draft.points, point] }
}

interface Props {
  fences: Fence[] | undefined
  devices: Device[]
  draft: Draft | null
  onDraft: (draft: Draft | null) => void
  chosen: string
  onChoose: (fence: Fence) => void
}

/** The fences, and drawing a new one. */
export function Fences({ fences, devices, draft, onDraft, chosen, onChoose }: Props) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('fence.change')
  const renew = () => queries.invalidateQueries({ queryKey: ['fences'] })
  const turn = async (fence: Fence, enabled: boolean) => {
    try {
      await api.patch('fences/{fence}', { path: { fence: fence.id }, body: { enabled }, revision: fence.revision })
    } catch (error) {
      void message.error(sentence(error))
    }
    await renew()
  }
  const remove = (fence: Fence) => {
    modal.confirm({
      title: t('fleet.removeFence', { name: fence.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await api.remove('fences/{fence}', { path: { fence: fence.id } })
        } catch (error) {
          void message.error(sentence(error))
        }
        await renew()
      },
    })
  }
  if (draft) return <NewFence devices={devices} draft={draft} onDraft={onDraft} onDone={renew} />
  return (
    <div className="fleet-tab">
      <div className="traffic-panel">
        {mayChange && <Button type="primary" onClick={() => onDraft(EMPTY)}>{t('fleet.newFence')}</Button>}
        {fences?.length === 0 && <span className="quiet">{t('fleet.noFence')}</span>}
      </div>
      <ul className="traffic-list">
        {fences?.map((fence) => (
          <li key={fence.id} className="traffic-closure fleet-fence">
            <button type="button" className={`traffic-way ${fence.id === chosen ? 'chosen' : ''}`} onClick={() => onChoose(fence)}>
              <b>{fence.name}</b>
              <span>{t(`fleet.shape.${fence.kind}`)}</span>
              <span className="quiet">{rules(fence)}</span>
              {fence.id === chosen && fence.to_terminals && <Copies fence={fence.id} />}
            </button>
            {mayChange && <Switch size="small" checked={fence.enabled} onChange={(on) => void turn(fence, on)} aria-label={`${fence.name} ${t('device.enabled')}`} />}
            {mayChange && fence.id === chosen && (
              <div className="fleet-buttons">
                <Button size="small" onClick={() => onDraft({ kind: fence.kind, points: fence.points.map(([x = 0, y = 0]) => [x, y] as const), metres: fence.metres, fence })}>{t('fleet.change')}</Button>
                <Button size="small" onClick={() => remove(fence)}>{t('verb.delete')}</Button>
              </div>
            )}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** How many terminals have it; those that have not say why. */
function Copies({ fence }: { fence: string }) {
  const found = useQuery({ queryKey: ['fences', fence, 'terminals'], refetchInterval: 5_000, queryFn: ({ signal }) => api.get('fences/{fence}/terminals', { path: { fence }, signal }) })
  const items = found.data?.items ?? []
  const failed = items.filter((each) => each.state === 'failed').slice(0, 5)
  return (
    <span className="quiet">
      {t('fleet.copies', { n: items.filter((each) => each.state === 'written').length, all: items.length })}
      {failed.map((each) => <span key={each.device}><br />{each.name}: {each.sentence}</span>)}
    </span>
  )
}

function rules(fence: Fence): string {
  const over = fence.valid_until ? t('traffic.until', { at: stamp(fence.valid_until) }) : ''
  const hours = fence.from_minute === fence.until_minute ? '' : `${written(fence.from_minute)}–${written(fence.until_minute)}`
  const days = fence.days.length === 7 ? '' : fence.days.map((day) => t(`fleet.day.${day}` as Key)).join(' ')
  return [
    fence.on_enter ? t('fleet.rule.enter') : '', fence.on_leave ? t('fleet.rule.leave') : '', fence.speed_kmh ? t('fleet.rule.speed', { n: fence.speed_kmh }) : '',
    days, hours, over, fence.enabled ? '' : t('fleet.off'),
  ].filter(Boolean).join(' · ')
}

const written = (minute: number) => `${String(Math.floor(minute / 60) % 24).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

function minuteOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

/** What was not touched is sent as it was, to the second: a fence whose validity changes begins anew. */
export function validity(old: Pick<Fence, 'valid_from' | 'valid_until'> | undefined, begins: string, ends: string) {
  const same = (at: string | null | undefined, text: string) => Boolean(at) && local(at!) === text
  const from = same(old?.valid_from, begins) ? old!.valid_from : moment(begins)
  return { ...(from ? { valid_from: from } : {}), valid_until: same(old?.valid_until, ends) ? old!.valid_until : (moment(ends) ?? null) }
}

function NewFence({ devices, draft, onDraft, onDone }: { devices: Device[]; draft: Draft; onDraft: (draft: Draft | null) => void; onDone: () => Promise<unknown> }) {
  const old = draft.fence
  const [name, setName] = useState(old?.name ?? '')
  const [onEnter, setOnEnter] = useState(old?.on_enter ?? true)
  const [onLeave, setOnLeave] = useState(old?.on_leave ?? false)
  const [limit, setLimit] = useState(old?.speed_kmh ?? 0)
  const [limitSeconds, setLimitSeconds] = useState(old?.speed_seconds ?? 10)
  const [days, setDays] = useState(old?.days ?? DAYS)
  const [from, setFrom] = useState(written(old?.from_minute ?? 0))
  const [until, setUntil] = useState(written(old?.until_minute ?? 0))
  const [area, setArea] = useState<string | null>(old?.area ?? null)
  const [organisation, setOrganisation] = useState<string | null>(old?.organisation ?? null)
  const [priority, setPriority] = useState(old?.priority ?? 2)
  const [begins, setBegins] = useState(old ? local(old.valid_from) : '')
  const [ends, setEnds] = useState(old?.valid_until ? local(old.valid_until) : '')
  const [vehicles, setVehicles] = useState<string[]>(old?.vehicles ?? [])
  const [seats, setSeats] = useState<string[]>(old?.seats ?? [])
  const [toTerminals, setToTerminals] = useState(old?.to_terminals ?? false)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const wide = draft.kind === 'circle' || draft.kind === 'route'
  const save = async () => {
    setBusy(true)
    try {
      const body = {
        name: name.trim(), kind: draft.kind, points: draft.points.map((point) => [...point]), metres: wide ? draft.metres : 0, on_enter: onEnter, on_leave: onLeave, speed_kmh: limit,
        speed_seconds: limitSeconds, days, from_minute: minuteOf(from), until_minute: minuteOf(until), area, organisation, priority, vehicles, seats, to_terminals: toTerminals,
        ...validity(old, begins, ends),
      }
      if (old) await api.patch('fences/{fence}', { path: { fence: old.id }, body, revision: old.revision })
      else await api.post('fences', { body })
      onDraft(null)
      await onDone()
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  const incomplete = !name.trim() || draft.points.length < LEAST[draft.kind] || days.length === 0 || !(onEnter || onLeave || limit > 0)
  return (
    <div className="fleet-tab">
      <form
        className="traffic-panel fleet-rules"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <label>{t('fleet.fenceName')}<Input value={name} maxLength={100} onChange={(event) => setName(event.target.value)} aria-label={t('fleet.fenceName')} /></label>
        <label>{t('word.kind')}<Select value={draft.kind} onChange={(kind) => onDraft({ ...draft, kind, points: [], metres: kind === 'route' ? 60 : 200 })} options={SHAPES.map((each) => ({ value: each, label: t(`fleet.shape.${each}`) }))} aria-label={t('word.kind')} /></label>
        <p className="quiet">{t(`fleet.pick.${draft.kind}`)}</p>
        <span role="status">{t('traffic.points', { n: draft.points.length })} {draft.points.length > 0 && <Button size="small" onClick={() => onDraft({ ...draft, points: [] })}>{t('traffic.clear')}</Button>}</span>
        {wide && <label>{t(draft.kind === 'circle' ? 'fleet.radius' : 'fleet.width')}<InputNumber min={10} max={draft.kind === 'circle' ? 200_000 : 2000} value={draft.metres} onChange={(value) => onDraft({ ...draft, metres: value ?? 10 })} style={{ width: '100%' }} aria-label={t(draft.kind === 'circle' ? 'fleet.radius' : 'fleet.width')} /></label>}
        <Checkbox checked={onEnter} onChange={(event) => setOnEnter(event.target.checked)}>{t('fleet.onEnter')}</Checkbox>
        <Checkbox checked={onLeave} onChange={(event) => setOnLeave(event.target.checked)}>{t('fleet.onLeave')}</Checkbox>
        <div className="fleet-times">
          <label>{t('fleet.limit')}<InputNumber min={0} max={200} value={limit} onChange={(value) => setLimit(value ?? 0)} style={{ width: '100%' }} aria-label={t('fleet.limit')} /></label>
          <label>{t('fleet.limitSeconds')}<InputNumber min={0} max={600} value={limitSeconds} onChange={(value) => setLimitSeconds(value ?? 0)} style={{ width: '100%' }} aria-label={t('fleet.limitSeconds')} /></label>
        </div>
        <div className="fleet-field">{t('fleet.days')}<Checkbox.Group className="fleet-days" value={days} onChange={setDays} options={DAYS.map((day) => ({ value: day, label: t(`fleet.day.${day}` as Key) }))} /></div>
        <div className="fleet-times">
          <label>{t('fleet.fromTime')}<input type="time" className="plain-input" value={from} onChange={(event) => setFrom(event.target.value)} aria-label={t('fleet.fromTime')} /></label>
          <label>{t('fleet.untilTime')}<input type="time" className="plain-input" value={until} onChange={(event) => setUntil(event.target.value)} aria-label={t('fleet.untilTime')} /></label>
        </div>
        <span className="quiet">{t('fleet.hoursHint')}</span>
        <label>{t('word.area')}<PlaceSelect what="areas" value={area} onChange={setArea} /></label>
        <label>{t('device.organisation')}<PlaceSelect what="organisations" value={organisation} onChange={setOrganisation} /></label>
        <div className="fleet-times fleet-moments">
          <label>{t('fleet.validFrom')}<input type="datetime-local" className="plain-input" value={begins} onChange={(event) => setBegins(event.target.value)} aria-label={t('fleet.validFrom')} /></label>
          <label>{t('fleet.validUntil')}<input type="datetime-local" className="plain-input" value={ends} onChange={(event) => setEnds(event.target.value)} aria-label={t('fleet.validUntil')} /></label>
        </div>
        <label>{t('alarm.priority')}<Select value={priority} onChange={setPriority} options={PRIORITIES.map((each) => ({ value: each, label: t(`alarm.priority.${each}`) }))} aria-label={t('alarm.priority')} /></label>
        <label>{t('fleet.only')}<Select mode="multiple" value={vehicles} onChange={setVehicles} optionFilterProp="label" options={devices.map((each) => ({ value: each.id, label: each.name }))} aria-label={t('fleet.only')} /></label>
        <label>{t('fleet.seats')}<SeatsField value={seats} onChange={setSeats} label={t('fleet.seats')} /></label>
        <Checkbox checked={toTerminals} onChange={(event) => setToTerminals(event.target.checked)}>{t('fleet.toTerminals')}</Checkbox>
        {problem !== null && <ProblemNote error={problem} />}
        <div className="fleet-buttons">
          <Button type="primary" htmlType="submit" loading={busy} disabled={incomplete}>{t('fleet.save')}</Button>
          <Button onClick={() => onDraft(null)}>{t('verb.cancel')}</Button>
        </div>
      </form>
    </div>
  )
}
