import { Button, Input, Select } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import type { Sign } from '../api/types'
import { iso } from '../parts/times'
import { t } from '../words'
import { DutyForm } from './form'
import { fits, textOf, trimmed, widthOf } from './text'

const TEXTS = ['sign.text.queue', 'sign.text.accident', 'sign.text.works', 'sign.text.closed', 'sign.text.fog'] as const
const MINUTES = [15, 30, 60, 120, 480, 1440] as const
const PRIORITIES = [1, 2, 3, 4] as const

interface Props {
  sign: Sign
  onDone: () => void
  onShown: () => Promise<unknown>
}

/** Have something stand on a sign: a text, for how long and why. */
export function ShowForm({ sign, onDone, onShown }: Props) {
  const [lines, setLines] = useState<string[]>(() => Array.from({ length: sign.lines }, () => ''))
  const [minutes, setMinutes] = useState<number>(30)
  const [priority, setPriority] = useState<number>(3)
  const [reason, setReason] = useState('')
  const take = (text: string[]) => {
    setLines(Array.from({ length: sign.lines }, (_, row) => text[row] ?? ''))
    setReason((now) => now || text[0] || '')
  }
  const show = async () => {
    const end = iso((Date.now() + minutes * 60_000) * 1000)
    await api.post('signs/{sign}/messages', { path: { sign: sign.id }, body: { lines: trimmed(lines), priority, end, reason: reason.trim(), cause: '' }, once: true })
    onDone()
    await onShown()
  }
  return (
    <DutyForm verb={t('sign.show')} ready={fits(trimmed(lines), sign) && reason.trim() !== ''} onSend={show} onDone={onDone}>
      <div className="row wrap" role="group" aria-label={t('sign.texts')}>
        {TEXTS.map((key) => {
          const text = textOf(key, sign.language, sign)
          return fits(text, sign) && <Button key={key} size="small" lang={sign.language} onClick={() => take(text)}>{text[0]}</Button>
        })}
      </div>
      {lines.map((line, row) => (
        <label key={row}>
          <span className="row">{t('sign.line', { n: row + 1 })}<span className="grow" /><span className={widthOf(line.trim()) > sign.columns ? 'p1' : 'quiet'}>{t('sign.room', { used: widthOf(line.trim()), all: sign.columns })}</span></span>
          <Input
            value={line} maxLength={80} lang={sign.language} autoFocus={row === 0} aria-label={t('sign.line', { n: row + 1 })} {...(widthOf(line.trim()) > sign.columns ? { status: 'error' as const } : {})}
            onChange={(event) => setLines((now) => now.map((each, number) => (number === row ? event.target.value : each)))}
          />
        </label>
      ))}
      <div className="duty-pair">
        <label>{t('sign.howLong')}<Select value={minutes} onChange={setMinutes} options={MINUTES.map((each) => ({ value: each, label: each < 60 ? t('unit.minutes', { n: each }) : t('unit.hours', { n: each / 60 }) }))} aria-label={t('sign.howLong')} /></label>
        <label>{t('sign.priority')}<Select value={priority} onChange={setPriority} options={PRIORITIES.map((each) => ({ value: each, label: String(each) }))} aria-label={t('sign.priority')} /></label>
      </div>
      <label>{t('sign.reason')}<Input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} aria-label={t('sign.reason')} /></label>
    </DutyForm>
  )
}
