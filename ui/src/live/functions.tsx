import { DeleteOutlined, SaveOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schemas } from '../api/client'
import { maybe, t } from '../words'
import type { Act } from './ptz'

function usePresets(channel: string) {
  return useQuery({
    queryKey: ['presets', channel],
    queryFn: ({ signal }) => api.get('channels/{channel}/presets', { path: { channel }, signal }),
    staleTime: 60_000,
    retry: false,
  })
}

function presetName(preset: Schemas['PresetOut']): string {
  return preset.name || t('live.ptz.preset', { n: preset.number })
}

/** A small number to type; empty and nonsense count as `low`. */
function Count({ words, value, low, high, onChange }: { words: string; value: number; low: number; high: number; onChange: (value: number) => void }) {
  return (
    <label className="ptz-count">
      {words}
      <input
        className="plain-input" inputMode="numeric" value={value}
        onChange={(event) => onChange(Math.min(high, Number(event.target.value.replace(/\D/g, '')) || low))}
        onBlur={() => value < low && onChange(low)}
      />
    </label>
  )
}

/** Stored views: one click goes there; new ones are stored under a number and, where the device keeps it, a name. */
export function Presets({ channel, act }: { channel: string; act: Act }) {
  const queries = useQueryClient()
  const { data, isPending, isError } = usePresets(channel)
  const [number, setNumber] = useState(1)
  const [name, setName] = useState('')
  const known = data?.items ?? []
  const change = async (action: Parameters<Act>[0], rest: Parameters<Act>[1]) => {
    if (await act(action, rest)) await queries.invalidateQueries({ queryKey: ['presets', channel] })
  }
  return (
    <>
      <ul className="ptz-list" aria-label={t('live.ptz.presets')}>
        {known.map((preset) => (
          <li key={preset.number}>
            <button type="button" className="plain-button call" title={t('live.ptz.call')} onClick={() => void act('preset_call', { number: preset.number })}>
              <span className="quiet">{preset.number}</span> <span className="clip">{presetName(preset)}</span>
            </button>
            <button type="button" className="plain-button" aria-label={`${t('live.ptz.set')}: ${presetName(preset)}`} title={t('live.ptz.set')} onClick={() => void change('preset_set', { number: preset.number, name: preset.name })}><SaveOutlined /></button>
            <button type="button" className="plain-button" aria-label={`${t('verb.delete')}: ${presetName(preset)}`} title={t('verb.delete')} onClick={() => void change('preset_delete', { number: preset.number })}><DeleteOutlined /></button>
          </li>
        ))}
        {known.length === 0 && <li className="quiet">{isPending ? t('word.loading') : t(isError ? 'live.ptz.presetsUnknown' : 'live.ptz.presetsNone')}</li>}
      </ul>
      <form
        className="ptz-form" onSubmit={(event) => {
          event.preventDefault()
          void act('preset_call', { number })
        }}
      >
        <Count words={t('live.ptz.number')} value={number} low={1} high={255} onChange={setNumber} />
        <input className="plain-input" placeholder={t('word.name')} aria-label={t('live.ptz.presetName')} value={name} maxLength={32} onChange={(event) => setName(event.target.value)} />
        <button type="submit" className="plain-button framed">{t('live.ptz.call')}</button>
        <button type="button" className="plain-button framed" onClick={() => void change('preset_set', { number, name: name.trim() })}>{t('verb.save')}</button>
      </form>
    </>
  )
}

/** Presets in turn. What a device before 2022 holds is known only as far as it was set from here. */
export function Cruises({ channel, act }: { channel: string; act: Act }) {
  const queries = useQueryClient()
  const presets = usePresets(channel).data?.items ?? []
  const { data } = useQuery({ queryKey: ['cruises', channel], queryFn: ({ signal }) => api.get('channels/{channel}/cruises', { path: { channel }, signal }), staleTime: 30_000, retry: false })
  const [number, setNumber] = useState(1)
  const [point, setPoint] = useState(0)
  const [edited, setEdited] = useState<{ dwell?: number; speed?: number }>({})
  const known = data?.items ?? []
  const cruise = known.find((each) => each.number === number)
  const dwell = edited.dwell ?? cruise?.dwell ?? 0
  const speed = edited.speed ?? cruise?.speed ?? 0
  const add = point || presets[0]?.number || 1
  const name = (at: number) => presets.find((each) => each.number === at)?.name || String(at)
  const change = async (action: Parameters<Act>[0], rest: Parameters<Act>[1] = {}) => {
    if (await act(action, { number, ...rest })) await queries.invalidateQueries({ queryKey: ['cruises', channel] })
  }
  const pick = (value: number) => {
    setNumber(value)
    setEdited({})
  }
  return (
    <>
      <div className="ptz-form">
        <label className="ptz-count grow">
          {t('live.ptz.cruise')}
          <select className="plain-input" value={number} onChange={(event) => pick(Number(event.target.value))}>
            {Array.from({ length: 16 }, (_, index) => index + 1).map((each) => {
              const one = known.find((found) => found.number === each)
              return <option key={each} value={each}>{one ? `${each} ${one.name} (${one.points.length})` : each}</option>
            })}
          </select>
        </label>
        <button type="button" className="plain-button framed" onClick={() => void act('cruise_start', { number })}>{t('live.ptz.start')}</button>
        <button type="button" className="plain-button framed" onClick={() => void act('cruise_stop', { number })}>{t('live.ptz.stop')}</button>
        <button type="button" className="plain-button" disabled={!cruise} aria-label={`${t('verb.delete')}: ${t('live.ptz.cruise')} ${number}`} title={t('verb.delete')} onClick={() => void change('cruise_delete', { second: 0 })}><DeleteOutlined /></button>
      </div>
      <ol className="ptz-points" aria-label={t('live.ptz.points')}>
        {(cruise?.points ?? []).map((at, index) => (
          <li key={`${index} ${at}`}>
            {name(at)}
            <button type="button" className="plain-button" aria-label={`${t('live.ptz.pointRemove')}: ${name(at)}`} title={t('live.ptz.pointRemove')} onClick={() => void change('cruise_delete', { second: at })}>×</button>
          </li>
        ))}
        {!cruise?.points.length && <li className="quiet">{t('live.ptz.pointsNone')}</li>}
      </ol>
      <div className="ptz-form">
        {presets.length > 0 ? (
          <select className="plain-input" aria-label={t('live.ptz.point')} value={add} onChange={(event) => setPoint(Number(event.target.value))}>
            {presets.map((preset) => <option key={preset.number} value={preset.number}>{preset.number} {presetName(preset)}</option>)}
          </select>
        ) : <Count words={t('live.ptz.point')} value={add} low={1} high={255} onChange={setPoint} />}
        <button type="button" className="plain-button framed" onClick={() => void change('cruise_add', { second: add })}>{t('live.ptz.pointAdd')}</button>
      </div>
      <form
        className="ptz-form" onSubmit={(event) => {
          event.preventDefault()
          void (async () => {
            if (edited.dwell) await change('cruise_dwell', { value: edited.dwell })
            if (edited.speed) await change('cruise_speed', { value: edited.speed })
            setEdited({})
          })()
        }}
      >
        <Count words={t('live.ptz.dwell')} value={dwell} low={0} high={4095} onChange={(value) => setEdited({ ...edited, dwell: value })} />
        <Count words={t('live.ptz.speed')} value={speed} low={0} high={4095} onChange={(value) => setEdited({ ...edited, speed: value })} />
        <button type="submit" className="plain-button framed" disabled={!edited.dwell && !edited.speed}>{t('verb.save')}</button>
      </form>
      {cruise?.told_by === 'platform' && <p className="ptz-hint">{t('live.ptz.cruiseOurs')}</p>}
    </>
  )
}

/** Swing between two limits. */
export function Scan({ act }: { act: Act }) {
  const [number, setNumber] = useState(1)
  const [speed, setSpeed] = useState(100)
  return (
    <>
      <div className="ptz-form">
        <Count words={t('live.ptz.scan')} value={number} low={1} high={255} onChange={setNumber} />
        <button type="button" className="plain-button framed" onClick={() => void act('scan_start', { number })}>{t('live.ptz.start')}</button>
        <button type="button" className="plain-button framed" onClick={() => void act('scan_stop', { number })}>{t('live.ptz.stop')}</button>
      </div>
      <div className="ptz-form">
        <button type="button" className="plain-button framed" onClick={() => void act('scan_left', { number })}>{t('live.ptz.scanLeft')}</button>
        <button type="button" className="plain-button framed" onClick={() => void act('scan_right', { number })}>{t('live.ptz.scanRight')}</button>
      </div>
      <div className="ptz-form">
        <Count words={t('live.ptz.speed')} value={speed} low={1} high={4095} onChange={setSpeed} />
        <button type="button" className="plain-button framed" onClick={() => void act('scan_speed', { number, value: speed })}>{t('verb.save')}</button>
      </div>
      <p className="ptz-hint">{t('live.ptz.scanHint')}</p>
    </>
  )
}

/** Wiper, light and whatever else is wired to the camera. It does not say whether they are on. */
export function Switches({ numbers, act }: { numbers: number[]; act: Act }) {
  return (
    <ul className="ptz-list">
      {numbers.map((number) => {
        const words = maybe(`live.ptz.aux.${number}`) ?? t('live.ptz.aux', { n: number })
        return (
          <li key={number}>
            <span className="grow clip">{words}</span>
            <button type="button" className="plain-button framed" aria-label={`${words}: ${t('live.ptz.on1')}`} onClick={() => void act('aux_on', { number })}>{t('live.ptz.on1')}</button>
            <button type="button" className="plain-button framed" aria-label={`${words}: ${t('live.ptz.off1')}`} onClick={() => void act('aux_off', { number })}>{t('live.ptz.off1')}</button>
          </li>
        )
      })}
    </ul>
  )
}

/** Where the camera goes back to when nobody steered it for a while. */
export function Home({ channel, act }: { channel: string; act: Act }) {
  const queries = useQueryClient()
  const presets = usePresets(channel).data?.items ?? []
  const { data } = useQuery({ queryKey: ['home', channel], queryFn: ({ signal }) => api.get('channels/{channel}/home', { path: { channel }, signal }), staleTime: 30_000, retry: false })
  const [edited, setEdited] = useState<{ preset?: number; seconds?: number }>({})
  const preset = edited.preset ?? (data?.preset || presets[0]?.number || 1)
  const seconds = edited.seconds ?? (data?.seconds || 60)
  const change = async (action: Parameters<Act>[0], rest: Parameters<Act>[1] = {}) => {
    if (!(await act(action, rest))) return
    setEdited({})
    await queries.invalidateQueries({ queryKey: ['home', channel] })
  }
  return (
    <>
      <div className="ptz-form">
        {presets.length > 0 ? (
          <select className="plain-input" aria-label={t('live.ptz.point')} value={preset} onChange={(event) => setEdited({ ...edited, preset: Number(event.target.value) })}>
            {presets.map((each) => <option key={each.number} value={each.number}>{each.number} {presetName(each)}</option>)}
          </select>
        ) : <Count words={t('live.ptz.point')} value={preset} low={1} high={255} onChange={(value) => setEdited({ ...edited, preset: value })} />}
        <Count words={t('live.ptz.homeAfter')} value={seconds} low={10} high={3600} onChange={(value) => setEdited({ ...edited, seconds: value })} />
      </div>
      <div className="ptz-form">
        <button type="button" className="plain-button framed" aria-pressed={data?.known && data.enabled} onClick={() => void change('home_on', { number: preset, value: seconds })}>{t('live.ptz.on1')}</button>
        <button type="button" className="plain-button framed" aria-pressed={data?.known && !data.enabled} onClick={() => void change('home_off')}>{t('live.ptz.off1')}</button>
      </div>
      <p className="ptz-hint">{t(data?.known ? 'live.ptz.homeHint' : 'live.ptz.homeUnknown')}</p>
    </>
  )
}
