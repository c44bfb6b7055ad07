import { useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Toll } from '../api/types'
import { More } from '../parts/more'
import { ProblemNote, sentence } from '../parts/problem'
import { t } from '../words'
import { money } from './money'
import { TollForm } from './tollform'
import type { Point } from './view'

/** How a toll is being drawn: single places, or the corners of a ring. */
export type TollShape = 'gantries' | 'border'

interface Props {
  tolls: Toll[] | undefined
  /** Undefined: not known yet. */
  currency: string | undefined
  error: unknown
  more: (() => void) | undefined
  edited: Toll | 'new' | null
  onEdit: (toll: Toll | 'new' | null) => void
  shape: TollShape
  onShape: (shape: TollShape) => void
  draft: Point[]
  onDraft: (points: Point[]) => void
  onLook: (place: Point) => void
}

/** What roads cost, and setting it. */
export function Tolls({ tolls, currency, error, more, edited, onEdit, onLook, ...drawing }: Props) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('toll.change')
  const [chosen, setChosen] = useState('')
  const renew = () => Promise.all(['tolls', 'ways'].map((each) => queries.invalidateQueries({ queryKey: ['traffic', each] })))
  const remove = (toll: Toll) => modal.confirm({
    title: t('toll.removeAsk', { name: toll.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
    onOk: async () => {
      try {
        await api.remove('traffic/tolls/{toll}', { path: { toll: toll.id } })
      } catch (failed) {
        void message.error(sentence(failed))
      }
      await renew()
    },
  })
  if (edited && currency) {
    return (
      <div className="traffic-panel">
        <TollForm key={edited === 'new' ? 'new' : edited.id} toll={edited === 'new' ? undefined : edited} currency={currency} {...drawing} onDone={async () => { onEdit(null); await renew() }} onCancel={() => onEdit(null)} />
      </div>
    )
  }
  return (
    <div className="traffic-panel">
      <div className="row"><span className="quiet grow">{t('toll.hint')}</span>{mayChange && currency && <Button size="small" onClick={() => onEdit('new')}>{t('toll.add')}</Button>}</div>
      {error !== null && <ProblemNote error={error} />}
      {tolls?.length === 0 && <span className="quiet">{t('toll.none')}</span>}
      <ul className="traffic-list">
        {tolls?.map((toll) => (
          <li key={toll.id} className="traffic-toll">
            <button
              type="button" className={`traffic-way${toll.id === chosen ? ' chosen' : ''}`} aria-expanded={toll.id === chosen}
              onClick={() => {
                setChosen(toll.id === chosen ? '' : toll.id)
                onLook(placeOf(toll))
              }}
            >
              <b className="grow">{toll.name}</b>
              {toll.enabled ? <span>{t('toll.now', { n: money(toll.now.car ?? 0, toll.currency) })}</span> : <span className="quiet">{t('times.off')}</span>}
              <span className="quiet">{toll.border.length > 0 ? t(`toll.crossing.${toll.crossing}`) : t('toll.gantries', { n: toll.gantries.length })}</span>
              {!toll.placed && <span className="p2">▲ {t('toll.unplaced')}</span>}
            </button>
            {toll.id === chosen && (
              <>
                <Prices toll={toll} />
                {mayChange && <div className="row"><Button size="small" onClick={() => onEdit(toll)}>{t('toll.change')}</Button><Button size="small" danger onClick={() => remove(toll)}>{t('verb.delete')}</Button></div>}
              </>
            )}
          </li>
        ))}
      </ul>
      <More more={more} />
    </div>
  )
}

function Prices({ toll }: { toll: Toll }) {
  return (
    <table className="toll-prices" aria-label={t('toll.prices')}>
      <thead><tr><th scope="col">{t('word.time')}</th><th scope="col">{t('toll.days')}</th><th scope="col">{t('toll.vehicles')}</th><th scope="col">{t('toll.amount')}</th></tr></thead>
      <tbody>
        {toll.prices.map((price, row) => (
          <tr key={row}>
            <td>{price.since}–{price.until}</td>
            <td>{price.days.length === 0 ? t('word.all') : price.days.map((each) => t(`dayKind.${each}`)).join(', ')}</td>
            <td>{price.vehicles.length === 0 ? t('word.all') : price.vehicles.map((each) => t(`counts.kind.${each}`)).join(', ')}</td>
            <td className="number">{money(price.amount, toll.currency)}</td>
          </tr>
        ))}
      </tbody>
      {(toll.begins || toll.ends) && <caption>{t('toll.lasts', { from: toll.begins || '–', to: toll.ends || '–' })}</caption>}
    </table>
  )
}

function placeOf(toll: Toll): Point {
  const gantry = toll.gantries[0]
  const corner = toll.border[0]
  return gantry ? [gantry.longitude, gantry.latitude] : [corner?.[0] ?? 0, corner?.[1] ?? 0]
}
