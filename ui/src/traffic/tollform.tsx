import { Button, Checkbox, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { DAY_KINDS, type DayKind } from '../admin/daylist'
import { api, type Body } from '../api/client'
import type { Toll } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { t } from '../words'
import { money, unitsOf } from './money'
import type { TollShape } from './tolls'
import type { Point } from './view'

type Price = Body<'post', 'traffic/tolls'>['prices'][number]
type Vehicle = NonNullable<Price['vehicles']>[number]

const SHAPES = ['gantries', 'border'] as const
const CROSSINGS = ['in', 'out', 'both'] as const
export const VEHICLES = ['car', 'bus', 'truck', 'motorcycle'] as const
const BEARINGS = [0, 45, 90, 135, 180, 225, 270, 315] as const
const BOTH = -1
const CLOCKS = Array.from({ length: 97 }, (_, quarter) => `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`)
const FIRST: Price = { since: '07:00', until: '19:00', amount: 0, vehicles: [], days: ['working'] }

interface Props {
  toll: Toll | undefined
  currency: string
  shape: TollShape
  onShape: (shape: TollShape) => void
  draft: Point[]
  onDraft: (points: Point[]) => void
  onDone: () => Promise<unknown>
  onCancel: () => void
}

/** Where a toll is paid, in which direction, and how much by whom and when. What is drawn anew takes the place of what was. */
export function TollForm({ toll, currency, shape, onShape, draft, onDraft, onDone, onCancel }: Props) {
  const [name, setName] = useState(toll?.name ?? '')
  const [crossing, setCrossing] = useState<Toll['crossing']>(toll?.crossing ?? 'in')
  const [bearing, setBearing] = useState<number>(BOTH)
  const [prices, setPrices] = useState<Price[]>(toll?.prices ?? [FIRST])
  const [begins, setBegins] = useState(toll?.begins ?? '')
  const [ends, setEnds] = useState(toll?.ends ?? '')
  const [enabled, setEnabled] = useState(toll?.enabled ?? true)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  const places = () => shape === 'gantries'
    ? { gantries: draft.map(([longitude, latitude]) => ({ longitude, latitude, bearing: bearing === BOTH ? null : bearing })), border: [] }
    : { gantries: [], border: draft.map(([longitude, latitude]) => [longitude, latitude]) }
  const save = async () => {
    setBusy(true)
    const said = { name: name.trim(), crossing, prices, begins, ends, enabled }
    try {
      if (toll) await api.patch('traffic/tolls/{toll}', { path: { toll: toll.id }, body: { ...said, ...(draft.length > 0 ? places() : {}) }, revision: toll.revision })
      else await api.post('traffic/tolls', { body: { ...said, ...places() }, once: true })
      setProblem(null)
      await onDone()
    } catch (failed) {
      setProblem(failed)
    } finally {
      setBusy(false)
    }
  }
  const set = (row: number, change: Partial<Price>) => setPrices(prices.map((each, at) => (at === row ? { ...each, ...change } : each)))
  const another = () => {
    const last = prices[prices.length - 1] ?? FIRST
    const begin = last.until === '24:00' ? '00:00' : last.until
    setPrices([...prices, { ...last, since: begin, until: CLOCKS[Math.min(CLOCKS.indexOf(begin) + 2, 96)]! }])
  }
  const drawn = shape === 'gantries' ? draft.length > 0 : draft.length >= 3
  const bordered = draft.length > 0 ? shape === 'border' : (toll?.border.length ?? 0) > 0

  return (
    <form
      className="traffic-form toll-form"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <label>{t('word.name')}<Input value={name} maxLength={100} onChange={(event) => setName(event.target.value)} /></label>
      <label>{t('toll.where')}<Select value={shape} onChange={onShape} options={SHAPES.map((each) => ({ value: each, label: t(`toll.shape.${each}`) }))} aria-label={t('toll.where')} /></label>
      <p className="quiet">{t(shape === 'gantries' ? 'toll.pickGantries' : 'toll.pickBorder')} {toll && t('toll.keepPlace')}</p>
      <span role="status">{t('traffic.points', { n: draft.length })} {draft.length > 0 && <Button size="small" onClick={() => onDraft([])}>{t('traffic.clear')}</Button>}</span>
      {shape === 'gantries' && draft.length > 0 && (
        <label>{t('toll.direction')}<Select value={bearing} onChange={setBearing} aria-label={t('toll.direction')} options={[{ value: BOTH, label: t('traffic.bothWays') }, ...BEARINGS.map((each) => ({ value: each, label: t(`toll.bearing.${each}`) }))]} /></label>
      )}
      {bordered && (
        <label>{t('toll.direction')}<Select value={crossing} onChange={setCrossing} aria-label={t('toll.direction')} options={CROSSINGS.map((each) => ({ value: each, label: t(`toll.crossing.${each}`) }))} /></label>
      )}
      <fieldset className="toll-rows">
        <legend>{t('toll.prices')} ({currency})</legend>
        {prices.map((price, row) => <PriceRow key={row} row={row + 1} price={price} currency={currency} onChange={(change) => set(row, change)} onRemove={prices.length > 1 ? () => setPrices(prices.filter((_, at) => at !== row)) : undefined} />)}
        <Button size="small" onClick={another}>{t('toll.addPrice')}</Button>
      </fieldset>
      <div className="row">
        <label>{t('toll.begins')}<Input type="date" value={begins} onChange={(event) => setBegins(event.target.value)} /></label>
        <label>{t('toll.ends')}<Input type="date" value={ends} onChange={(event) => setEnds(event.target.value)} /></label>
      </div>
      <Checkbox checked={enabled} onChange={(event) => setEnabled(event.target.checked)}>{t('toll.enabled')}</Checkbox>
      {problem !== null && <ProblemNote error={problem} />}
      <div className="row">
        <Button type="primary" htmlType="submit" loading={busy} disabled={!name.trim() || (toll ? draft.length > 0 && !drawn : !drawn)}>{t('verb.save')}</Button>
        <Button onClick={onCancel}>{t('verb.cancel')}</Button>
      </div>
    </form>
  )
}

interface RowProps {
  row: number
  price: Price
  currency: string
  onChange: (change: Partial<Price>) => void
  onRemove: (() => void) | undefined
}

function PriceRow({ row, price, currency, onChange, onRemove }: RowProps) {
  const units = unitsOf(currency)
  const label = (of: string) => t('toll.ofPrice', { what: of, n: row })
  const clocks = CLOCKS.map((value) => ({ value }))
  return (
    <div className="toll-row">
      <Select className="toll-clock" showSearch value={price.since} onChange={(since: string) => onChange({ since })} options={clocks.slice(0, 96)} aria-label={label(t('traffic.from'))} />
      <Select className="toll-clock" showSearch value={price.until} onChange={(until: string) => onChange({ until })} options={clocks.slice(1)} aria-label={label(t('traffic.to'))} />
      <InputNumber min={0} max={1_000_000} step={1} precision={Math.round(Math.log10(units))} value={price.amount / units} onChange={(amount) => onChange({ amount: Math.round((amount ?? 0) * units) })} aria-label={label(t('toll.amount'))} title={money(price.amount, currency)} />
      {onRemove && <Button size="small" onClick={onRemove} aria-label={label(t('verb.delete'))}>×</Button>}
      <Select<DayKind[]> className="toll-wide" mode="multiple" placeholder={t('toll.allDays')} value={price.days ?? []} onChange={(days) => onChange({ days })} options={DAY_KINDS.map((value) => ({ value, label: t(`dayKind.${value}`) }))} aria-label={label(t('toll.days'))} />
      <Select<Vehicle[]> className="toll-wide" mode="multiple" placeholder={t('toll.allVehicles')} value={price.vehicles ?? []} onChange={(vehicles) => onChange({ vehicles })} options={VEHICLES.map((value) => ({ value, label: t(`counts.kind.${value}`) }))} aria-label={label(t('toll.vehicles'))} />
    </div>
  )
}
