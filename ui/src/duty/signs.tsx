import { useQuery } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Sign } from '../api/types'
import { sentence } from '../parts/problem'
import { stamp } from '../parts/times'
import type { Point } from '../traffic/view'
import { t } from '../words'
import { ShowForm } from './show'

interface Props {
  signs: Sign[]
  chosen: string
  onChoose: (sign: Sign) => void
  onLook: (place: Point) => void
  onChange: (sign: Sign) => void
  onRenew: () => Promise<unknown>
}

const MARKS: Record<Sign['says']['state'], string> = { shows: '●', waiting: '○', off: '○', fault: '▲', silent: '▲' }

/** Signs by their own word, and what is wanted of them where that is something else. */
export function SignList({ signs, chosen, onChoose, onLook, onChange, onRenew }: Props) {
  const { message, modal } = App.useApp()
  const [writing, setWriting] = useState('')
  const mayShow = useMay('sign.show')
  const mayManage = useMay('sign.manage')
  const withdraw = async (sign: Sign) => {
    if (!sign.wanted) return
    try {
      await api.remove('signs/{sign}/messages/{message}', { path: { sign: sign.id, message: sign.wanted.id } })
    } catch (error) {
      void message.error(sentence(error))
    }
    await onRenew()
  }
  const remove = (sign: Sign) => {
    modal.confirm({
      title: t('sign.remove', { name: sign.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await api.remove('signs/{sign}', { path: { sign: sign.id } })
        } catch (error) {
          void message.error(sentence(error))
        }
        await onRenew()
      },
    })
  }
  return (
    <ul className="traffic-list">
      {signs.map((sign) => (
        <li key={sign.id} className="duty-sign">
          <button
            type="button" className={`traffic-way ${sign.id === chosen ? 'chosen' : ''}`} aria-expanded={sign.id === chosen}
            onClick={() => {
              onChoose(sign)
              onLook([sign.longitude, sign.latitude])
            }}
          >
            <b className={sign.says.state === 'silent' || sign.says.state === 'fault' ? 'p2' : ''}>{MARKS[sign.says.state]} {sign.name}</b>
            <span className="quiet">{sign.says.state === 'shows' && sign.says.since ? t('sign.since', { at: stamp(sign.says.since) }) : t(`sign.state.${sign.says.state}`)}</span>
            {sign.says.sentence && <span className="duty-why">{sign.says.sentence}</span>}
            <Face sign={sign} />
          </button>
          {sign.wanted && (
            <div className="duty-wanted">
              {sign.wanted.id !== sign.says.message && <span className="p2" role="status">{t('sign.notYet')}: {sign.wanted.lines.join(' / ')}</span>}
              <span className="quiet">{t('sign.until', { at: stamp(sign.wanted.end), who: sign.wanted.set_by, why: sign.wanted.reason })}</span>
            </div>
          )}
          {writing === sign.id ? (
            <ShowForm sign={sign} onDone={() => setWriting('')} onShown={onRenew} />
          ) : (
            <div className="row wrap duty-buttons">
              {mayShow && sign.enabled && <Button size="small" type="primary" aria-label={`${t('sign.showOn')}: ${sign.name}`} onClick={() => setWriting(sign.id)}>{t('sign.showOn')}</Button>}
              {mayShow && sign.wanted && <Button size="small" aria-label={`${t('sign.withdraw')}: ${sign.name}`} onClick={() => void withdraw(sign)}>{t('sign.withdraw')}</Button>}
              {mayManage && sign.id === chosen && <Button size="small" onClick={() => onChange(sign)}>{t('sign.change')}</Button>}
              {mayManage && sign.id === chosen && <Button size="small" onClick={() => remove(sign)}>{t('verb.delete')}</Button>}
            </div>
          )}
          {sign.id === chosen && <History sign={sign.id} />}
        </li>
      ))}
    </ul>
  )
}

/** What stands on it, by its own word; dimmed where that word is old. */
function Face({ sign }: { sign: Sign }) {
  const { state, lines } = sign.says
  if (state === 'waiting' || state === 'off') return null
  if (sign.says.since === null) return <span className="quiet">{t('sign.unknown')}</span>
  const old = state === 'silent'
  return (
    <span className={`sign-face ${old ? 'old' : ''}`} lang={sign.language}>
      {old && lines.length > 0 && <small lang={document.documentElement.lang}>{t('sign.before')}</small>}
      {lines.length > 0 ? lines.map((line, row) => <span key={row}>{line}</span>) : <small lang={document.documentElement.lang}>{t('sign.dark')}</small>}
    </span>
  )
}

function History({ sign }: { sign: string }) {
  const found = useQuery({ queryKey: ['signs', sign, 'history'], queryFn: ({ signal }) => api.get('signs/{sign}/history', { path: { sign }, query: { limit: 10 }, signal }) })
  const items = found.data?.items ?? []
  if (items.length === 0) return null
  return (
    <div className="duty-history">
      <h3>{t('sign.history')}</h3>
      <ol>
        {items.map((each, row) => (
          <li key={row}><span className="quiet">{stamp(each.at)}</span> {each.state === 'shows' ? each.lines.join(' / ') || t('sign.dark') : `${t(`sign.state.${each.state}`)}: ${each.sentence}`}</li>
        ))}
      </ol>
    </div>
  )
}
