import { App, Checkbox, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { PlaceSelect } from '../admin/choose'
import { api } from '../api/client'
import type { Sign } from '../api/types'
import { read } from '../traffic/view'
import { t } from '../words'
import { DutyForm, PlaceField } from './form'
import { trimmed } from './text'

const EXAMPLE = 'http://10.1.2.3/safecity/sign/v1'

interface Props {
  /** The one that is changed; without it a new one. */
  sign: Sign | undefined
  place: string
  onPlace: (text: string) => void
  onDone: () => void
  onRenew: () => Promise<unknown>
}

/** Where a sign stands, how it is reached and how much room it has. */
export function SignForm({ sign, place, onPlace, onDone, onRenew }: Props) {
  const { modal } = App.useApp()
  const [name, setName] = useState(sign?.name ?? '')
  const [address, setAddress] = useState(sign?.address ?? '')
  const [direction, setDirection] = useState(sign?.direction ?? 0)
  const [lines, setLines] = useState(sign?.lines ?? 2)
  const [columns, setColumns] = useState(sign?.columns ?? 20)
  const [fallback, setFallback] = useState(sign?.fallback.join('\n') ?? '')
  const [language, setLanguage] = useState<'zh' | 'en'>(sign?.language ?? 'zh')
  const [area, setArea] = useState<string | null>(sign?.area ?? null)
  const [enabled, setEnabled] = useState(sign?.enabled ?? true)
  const [key, setKey] = useState('')
  const point = read(place)
  const save = async () => {
    if (!point) return
    const body = {
      name: name.trim(), address: address.trim(), longitude: point[0], latitude: point[1], direction, lines, columns, fallback: trimmed(fallback.split('\n')), language, area, enabled,
    }
    if (sign) await api.patch('signs/{sign}', { path: { sign: sign.id }, body: { ...body, ...(key ? { key } : {}) }, revision: sign.revision })
    else {
      const made = await api.post('signs', { body: { ...body, key } })
      if (!key) modal.info({ title: t('sign.keyIs'), content: <code className="duty-key">{made.key}</code>, okText: t('verb.close') })
    }
    onDone()
    await onRenew()
  }
  return (
    <DutyForm title={t(sign ? 'sign.change' : 'sign.add')} verb={t('verb.save')} ready={Boolean(name.trim() && address.trim() && point)} onSend={save} onDone={onDone}>
      <label>{t('word.name')}<Input value={name} maxLength={100} autoFocus onChange={(event) => setName(event.target.value)} aria-label={t('word.name')} /></label>
      <label>{t('sign.address')}<Input value={address} maxLength={500} placeholder={EXAMPLE} onChange={(event) => setAddress(event.target.value)} aria-label={t('sign.address')} /></label>
      <PlaceField place={place} onPlace={onPlace} />
      <label>{t('sign.direction')}<InputNumber min={0} max={359} precision={0} value={direction} onChange={(value) => setDirection(value ?? 0)} style={{ width: '100%' }} aria-label={t('sign.direction')} /></label>
      <div className="duty-pair">
        <label>{t('sign.lines')}<InputNumber min={1} max={16} precision={0} value={lines} onChange={(value) => setLines(value ?? 1)} style={{ width: '100%' }} aria-label={t('sign.lines')} /></label>
        <label>{t('sign.language')}<Select value={language} onChange={setLanguage} options={[{ value: 'zh', label: t('language.zh') }, { value: 'en', label: t('language.en') }]} aria-label={t('sign.language')} /></label>
      </div>
      <label>{t('sign.columns')}<InputNumber min={2} max={80} precision={0} value={columns} onChange={(value) => setColumns(value ?? 2)} style={{ width: '100%' }} aria-label={t('sign.columns')} /></label>
      <label>{t('sign.fallback')}<Input.TextArea value={fallback} rows={2} onChange={(event) => setFallback(event.target.value)} aria-label={t('sign.fallback')} /></label>
      <label>{t('word.area')}<PlaceSelect what="areas" value={area} onChange={setArea} /></label>
      <label>{t(sign ? 'sign.newKey' : 'sign.key')}<Input.Password value={key} maxLength={128} autoComplete="new-password" onChange={(event) => setKey(event.target.value)} aria-label={t(sign ? 'sign.newKey' : 'sign.key')} /></label>
      <Checkbox checked={enabled} onChange={(event) => setEnabled(event.target.checked)}>{t('sign.enabled')}</Checkbox>
    </DutyForm>
  )
}
