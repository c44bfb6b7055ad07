import { DownloadOutlined } from '@ant-design/icons'
import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { address, api } from '../api/client'
import type { Device, Purpose } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { iso, local, span, stamp } from '../parts/times'
import { PURPOSES } from '../tollgates/passages'
import { moment } from '../tollgates/search'
import { t } from '../words'
import { type Journey, journeyOf } from './track'

const FORMATS = ['gpx', 'csv', 'geojson'] as const
const NAMES = { gpx: 'GPX', csv: 'CSV', geojson: 'GeoJSON' } as const
const MOST = 5
const DAY_MS = 86_400_000

interface Props {
  devices: Device[]
  chosen: string[]
  onChosen: (ids: string[]) => void
  journeys: Journey[]
  onJourneys: (journeys: Journey[]) => void
  onSeek: (at: number) => void
}

interface Wish {
  start: string
  end: string
  purpose: Purpose
  reason: string
}

/** Which vehicles, when and what for; then what they did. Nothing is asked for before the button is pressed: it is written down. */
export function Replay({ devices, chosen, onChosen, journeys, onJourneys, onSeek }: Props) {
  const [from, setFrom] = useState(() => local(new Date(Date.now() - DAY_MS)))
  const [to, setTo] = useState(() => local(new Date(Date.now() + 60_000)))
  const [purpose, setPurpose] = useState<Purpose>('traffic')
  const [reason, setReason] = useState('')
  const [shown, setShown] = useState<Wish | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const show = async () => {
    const wish = { start: moment(from) ?? iso(0), end: moment(to) ?? iso(0), purpose, reason }
    setBusy(true)
    try {
      const ways = await Promise.all(chosen.map((device) => api.get('devices/{device}/way', { path: { device }, query: wish })))
      setProblem(null)
      setShown(wish)
      onJourneys(ways.map(journeyOf))
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="fleet-tab">
      <form
        className="traffic-panel traffic-form"
        onSubmit={(event) => {
          event.preventDefault()
          void show()
        }}
      >
        <p className="quiet">{t('fleet.logged')}</p>
        <label>{t('fleet.choose')}<Select mode="multiple" maxCount={MOST} value={chosen} onChange={onChosen} optionFilterProp="label" options={devices.map((each) => ({ value: each.id, label: each.name }))} aria-label={t('fleet.choose')} /></label>
        <div className="fleet-times fleet-moments">
          <label>{t('search.from')}<input type="datetime-local" className="plain-input" value={from} onChange={(event) => setFrom(event.target.value)} aria-label={t('search.from')} /></label>
          <label>{t('search.to')}<input type="datetime-local" className="plain-input" value={to} onChange={(event) => setTo(event.target.value)} aria-label={t('search.to')} /></label>
        </div>
        <label>{t('fleet.purpose')}<Select value={purpose} onChange={setPurpose} options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}`) }))} aria-label={t('fleet.purpose')} /></label>
        <label>{t('audit.reason')}<Input value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} /></label>
        {problem !== null && <ProblemNote error={problem} />}
        <Button type="primary" htmlType="submit" loading={busy} disabled={chosen.length === 0}>{t('fleet.show')}</Button>
      </form>
      {shown && journeys.map((each) => <Told key={each.id} journey={each} wish={shown} onSeek={onSeek} />)}
    </div>
  )
}

function Told({ journey, wish, onSeek }: { journey: Journey; wish: Wish; onSeek: (at: number) => void }) {
  const { way, name } = journey
  if (way.steps.length === 0) return <div className="traffic-panel quiet">{t('fleet.nothing', { name })}</div>
  return (
    <div className="traffic-panel">
      <h2>{name}</h2>
      <span>{t('fleet.sums', { km: (way.metres / 1000).toFixed(1), stands: way.stands.length, gaps: way.gaps })}</span>
      {way.gaps > 0 && <span className="quiet">{t('fleet.dashed')}</span>}
      {way.more && <span className="quiet">{t('fleet.older')}</span>}
      <div className="fleet-buttons">
        {FORMATS.map((format) => (
          <Button key={format} size="small" icon={<DownloadOutlined />} href={address('devices/{device}/way/file', { path: { device: way.device }, query: { ...wish, format } })} download={`way.${format}`}>{NAMES[format]}</Button>
        ))}
      </div>
      <ul className="traffic-list">
        {way.stands.map((each) => (
          <li key={each.start}><button type="button" className="traffic-way" onClick={() => onSeek(Date.parse(each.start) * 1000)}>{t('fleet.stand', { at: stamp(each.start), span: span(each.seconds) })}</button></li>
        ))}
      </ul>
    </div>
  )
}
