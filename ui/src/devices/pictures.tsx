import { DownloadOutlined } from '@ant-design/icons'
import { App, Button, Input, Select } from 'antd'
import { useState } from 'react'
import { address, api } from '../api/client'
import type { Channel, Device, Purpose, VehicleMedium } from '../api/types'
import { ProblemNote, sentence } from '../parts/problem'
import { stamp } from '../parts/times'
import { bytes } from '../parts/units'
import { PURPOSES } from '../tollgates/passages'
import { type Key, maybe, t, useLanguage } from '../words'

interface Wish {
  purpose: Purpose
  reason: string
}

/** What a vehicle took by itself or when asked. Nothing is asked for before a button is pressed: it is written down. */
export function Pictures({ device, channels }: { device: Device; channels: Channel[] }) {
  useLanguage()
  const { message } = App.useApp()
  const [purpose, setPurpose] = useState<Purpose>('security')
  const [reason, setReason] = useState('')
  const [chosen, setChosen] = useState<number | null>(null)
  const [shown, setShown] = useState<{ wish: Wish; items: VehicleMedium[]; next: string | null } | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState('')
  const path = { device: device.id }
  const numbered = channels.filter((each) => /^\d{1,3}$/.test(each.code))
  const camera = chosen ?? Number(numbered[0]?.code ?? 1)
  const names = new Map(numbered.map((each) => [Number(each.code), each.name]))
  const carry = async (name: string, act: () => Promise<void>) => {
    setBusy(name)
    try {
      await act()
      setProblem(null)
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy('')
    }
  }
  const show = () => carry('show', async () => {
    const wish = { purpose, reason }
    const found = await api.get('devices/{device}/media', { path, query: wish })
    setShown({ wish, items: found.items, next: found.next })
  })
  const further = () => carry('further', async () => {
    if (!shown?.next) return
    const found = await api.get('devices/{device}/media', { path, query: { ...shown.wish, cursor: shown.next } })
    setShown({ ...shown, items: [...shown.items, ...found.items], next: found.next })
  })
  const take = async () => {
    setBusy('take')
    try {
      await api.post('devices/{device}/picture', { path, body: { channel: camera, purpose, reason } })
      void message.success(t('taken.coming'))
    } catch (error) {
      void message.error(sentence(error), 8)
    } finally {
      setBusy('')
    }
  }
  return (
    <section className="panel column taken" aria-label={t('taken.title')}>
      <h2>{t('taken.title')}</h2>
      <p className="quiet">{t('taken.logged')}</p>
      <form
        className="row wrap"
        onSubmit={(event) => {
          event.preventDefault()
          void show()
        }}
      >
        <Select style={{ width: 130 }} value={purpose} onChange={setPurpose} options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} aria-label={t('fleet.purpose')} />
        <Input style={{ width: 200 }} value={reason} maxLength={200} placeholder={t('audit.reason')} aria-label={t('audit.reason')} onChange={(event) => setReason(event.target.value)} />
        <Button type="primary" htmlType="submit" loading={busy === 'show'} disabled={busy !== ''}>{t('fleet.show')}</Button>
        <span className="grow" />
        {numbered.length > 1 && <Select style={{ minWidth: 130 }} value={camera} onChange={setChosen} options={numbered.map((each) => ({ value: Number(each.code), label: each.name }))} aria-label={t('taken.camera')} />}
        <Button loading={busy === 'take'} disabled={device.state !== 'online' || busy !== ''} onClick={() => void take()}>{t('taken.take')}</Button>
      </form>
      {problem !== null && <ProblemNote error={problem} />}
      {shown && shown.items.length === 0 && <p className="quiet">{t('taken.none')}</p>}
      {shown && shown.items.length > 0 && (
        <div className="taken-sheet">
          {shown.items.map((each) => <Taken key={each.id} medium={each} device={device.id} wish={shown.wish} camera={names.get(each.channel) ?? maybe(`vehicle.place.${each.channel}`) ?? t('taken.channel', { n: each.channel })} />)}
        </div>
      )}
      {shown?.next && <div><Button loading={busy === 'further'} disabled={busy !== ''} onClick={() => void further()}>{t('search.further')}</Button></div>}
    </section>
  )
}

function Taken({ medium, device, wish, camera }: { medium: VehicleMedium; device: string; wish: Wish; camera: string }) {
  const [gone, setGone] = useState(false)
  const source = address('devices/{device}/media/{media}', { path: { device, media: medium.id }, query: { ...wish } })
  const cause = medium.alarm_kind || (maybe(`taken.cause.${medium.cause}`) ?? t('taken.cause.other', { n: medium.cause }))
  const kind = maybe(`taken.kind.${medium.kind}`) ?? medium.kind
  const words = [cause, ...(medium.channel > 0 ? [camera] : []), stamp(medium.at)].join(' · ')
  return (
    <figure>
      {medium.shown && !gone
        ? <a href={source} target="_blank" rel="noreferrer"><img loading="lazy" src={source} alt={words} onError={() => setGone(true)} /></a>
        : <Button icon={<DownloadOutlined />} href={source} download>{`${kind} · ${medium.format} · ${bytes(medium.bytes)}`}</Button>}
      <figcaption>
        <span>{cause}</span>
        <span className="quiet">{stamp(medium.at)}{medium.channel > 0 && ` · ${camera}`}</span>
        {medium.name !== '' && <span className="quiet mono" title={medium.name}>{medium.name}</span>}
        {medium.latitude !== null && medium.longitude !== null && <span className="quiet mono">{medium.latitude.toFixed(5)}, {medium.longitude.toFixed(5)}</span>}
      </figcaption>
    </figure>
  )
}
