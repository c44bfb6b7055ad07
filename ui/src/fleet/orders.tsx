import { App, Button, Checkbox, Input, Modal } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Device } from '../api/types'
import { Through } from './through'
import { ProblemNote, sentence } from '../parts/problem'
import { span } from '../parts/times'
import { t } from '../words'

const EVERY_SECONDS = 5
const FOR_SECONDS = 600

type Confirmed = 'lock' | 'unlock' | 'restart'

/** What a vehicle can be told. Each waits for the terminal's own answer. */
export function Orders({ device, onLocated }: { device: Device; onLocated: (place: [number, number]) => void }) {
  const { message } = App.useApp()
  const mayWrite = useMay('vehicle.message')
  const mayTrack = useMay('vehicle.track')
  const mayControl = useMay('vehicle.control')
  const [busy, setBusy] = useState('')
  const [writing, setWriting] = useState(false)
  const [reading, setReading] = useState(false)
  const [asked, setAsked] = useState<Confirmed | null>(null)
  const path = { device: device.id }
  const carry = async (name: string, act: () => Promise<string>) => {
    setBusy(name)
    try {
      void message.success(await act())
    } catch (error) {
      void message.error(sentence(error), 8)
    } finally {
      setBusy('')
    }
  }
  const locate = () => carry('locate', async () => {
    const did = await api.post('devices/{device}/locate', { path, body: {} })
    if (did.longitude !== null && did.latitude !== null) onLocated([did.longitude, did.latitude])
    return t('fleet.done')
  })
  const follow = (every_seconds: number) => carry(`track${every_seconds}`, async () => {
    await api.post('devices/{device}/track', { path, body: { every_seconds, seconds: FOR_SECONDS } })
    return t('fleet.done')
  })
  const button = (name: string, words: string, act: () => void) => (
    <Button size="small" loading={busy === name} disabled={device.state !== 'online' || (busy !== '' && busy !== name)} onClick={act}>{words}</Button>
  )
  return (
    <div className="fleet-buttons">
      {mayTrack && button('locate', t('fleet.locate'), () => void locate())}
      {mayTrack && button(`track${EVERY_SECONDS}`, t('fleet.track', { n: span(FOR_SECONDS) }), () => void follow(EVERY_SECONDS))}
      {mayTrack && button('track0', t('fleet.trackEnd'), () => void follow(0))}
      {mayWrite && button('text', t('fleet.text'), () => setWriting(true))}
      {mayControl && button('lock', t('fleet.lock'), () => setAsked('lock'))}
      {mayControl && button('unlock', t('fleet.unlock'), () => setAsked('unlock'))}
      {mayControl && button('restart', t('fleet.restart'), () => setAsked('restart'))}
      {mayControl && <Button size="small" onClick={() => setReading(true)}>{t('fleet.through')}</Button>}
      {reading && <Through device={device} onEnd={() => setReading(false)} />}
      {writing && <TextForm device={device} onEnd={() => setWriting(false)} />}
      {asked && <Confirm device={device} what={asked} onEnd={() => setAsked(null)} />}
    </div>
  )
}

function TextForm({ device, onEnd }: { device: Device; onEnd: () => void }) {
  const { message } = App.useApp()
  const [text, setText] = useState('')
  const [where, setWhere] = useState<string[]>(['display'])
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const ways = ['display', 'spoken', 'screen', 'urgent'] as const
  const nowhere = !where.some((each) => each !== 'urgent')
  const send = async () => {
    setBusy(true)
    try {
      const flags = Object.fromEntries(ways.map((each) => [each, where.includes(each)])) as Record<(typeof ways)[number], boolean>
      await api.post('devices/{device}/text', { path: { device: device.id }, body: { text: text.trim(), ...flags } })
      void message.success(t('fleet.done'))
      onEnd()
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal open title={`${t('fleet.text')} · ${device.name}`} onCancel={onEnd} onOk={() => void send()} okText={t('fleet.send')} cancelText={t('verb.cancel')} confirmLoading={busy} okButtonProps={{ disabled: !text.trim() || nowhere }}>
      <div className="column" style={{ gap: 12 }}>
        <Input.TextArea autoFocus rows={4} maxLength={500} showCount value={text} onChange={(event) => setText(event.target.value)} aria-label={t('fleet.textWords')} />
        <Checkbox.Group value={where} onChange={setWhere} options={ways.map((each) => ({ value: each, label: t(`fleet.say.${each}`) }))} />
        {problem !== null && <ProblemNote error={problem} />}
      </div>
    </Modal>
  )
}

function Confirm({ device, what, onEnd }: { device: Device; what: Confirmed; onEnd: () => void }) {
  const { message } = App.useApp()
  const [typed, setTyped] = useState('')
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const go = async () => {
    setBusy(true)
    const path = { device: device.id }
    const confirm = typed.trim()
    try {
      const did = what === 'restart'
        ? await api.post('devices/{device}/restart', { path, body: { confirm } })
        : await api.post('devices/{device}/doors', { path, body: { confirm, locked: what === 'lock' } })
      void message.success(t(did.locked === null ? 'fleet.done' : did.locked ? 'fleet.doneLocked' : 'fleet.doneUnlocked'))
      onEnd()
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }
  const words = t('fleet.confirm', { name: device.name })
  return (
    <Modal open title={`${t(`fleet.${what}`)} · ${device.name}`} onCancel={onEnd} onOk={() => void go()} okText={t(`fleet.${what}`)} cancelText={t('verb.cancel')} confirmLoading={busy} okButtonProps={{ danger: true, disabled: typed.trim() !== device.name }}>
      <div className="column" style={{ gap: 12 }}>
        <label className="column" style={{ gap: 4 }}>{words}<Input autoFocus value={typed} onChange={(event) => setTyped(event.target.value)} aria-label={words} /></label>
        {problem !== null && <ProblemNote error={problem} />}
      </div>
    </Modal>
  )
}
