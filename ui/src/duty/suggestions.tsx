import { App, Button } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import type { SignSuggestion } from '../api/types'
import { sentence } from '../parts/problem'
import { stamp } from '../parts/times'
import { t } from '../words'

const kindOf = (one: SignSuggestion) => (one.kind === 'jam' ? t('sign.suggested.jam') : t(`closure.${one.kind}`))

/** What jams and closures would have signs say; one click shows it, nothing else does. */
export function Suggestions({ items, onLook, onRenew }: { items: SignSuggestion[]; onLook: (sign: string) => void; onRenew: () => Promise<unknown> }) {
  const { message } = App.useApp()
  const [busy, setBusy] = useState('')
  const show = async (one: SignSuggestion) => {
    setBusy(one.sign + one.cause)
    try {
      const { lines, priority, end, cause } = one
      const reason = `${kindOf(one)}, ${t('sign.metres', { n: Math.round(one.metres) })}`
      await api.post('signs/{sign}/messages', { path: { sign: one.sign }, body: { lines, priority, end, cause, reason }, once: true })
    } catch (error) {
      void message.error(sentence(error))
    }
    setBusy('')
    await onRenew()
  }
  return (
    <ul className="traffic-list">
      {items.map((one) => (
        <li key={one.sign + one.cause} className="traffic-closure">
          <button type="button" className="traffic-way" onClick={() => onLook(one.sign)}>
            <b>{one.name}</b>
            <span>{kindOf(one)}</span>
            <span className="quiet">{t('sign.metres', { n: Math.round(one.metres) })} · {t('traffic.until', { at: stamp(one.end) })}</span>
            <span className="duty-words">{one.lines.join(' / ')}</span>
          </button>
          <Button size="small" type="primary" loading={busy === one.sign + one.cause} aria-label={`${t('sign.show')}: ${one.name}, ${one.lines.join(' ')}`} onClick={() => void show(one)}>{t('sign.show')}</Button>
        </li>
      ))}
    </ul>
  )
}
