import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { CountPoint, Counted } from '../api/types'
import { More } from '../parts/more'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { toUs } from '../parts/times'
import { maybe, t } from '../words'
import type { Point } from './spark'
import { Sparkline } from './sparkline'

const DAY = 86_400_000_000
const SIX_HOURS = DAY / 4

/** How many vehicles pass: now, through the day, and of which kinds. */
export function Counts({ onLook }: { onLook?: (place: [number, number]) => void }) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('traffic.change')
  const [chosen, setChosen] = useState('')
  const list = usePages(['traffic', 'counts'], 'traffic/counts', {}, 30_000)
  const choose = (one: CountPoint) => {
    setChosen(one.id === chosen ? '' : one.id)
    if (one.longitude !== null && one.latitude !== null) onLook?.([one.longitude, one.latitude])
  }
  const remove = (one: CountPoint) => modal.confirm({
    title: t('counts.removeAsk', { name: one.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
    onOk: async () => {
      try {
        await api.remove('traffic/counts/{count_point}', { path: { count_point: one.id } })
      } catch (failed) {
        void message.error(sentence(failed))
      }
      await queries.invalidateQueries({ queryKey: ['traffic', 'counts'] })
    },
  })
  const points = list.rows
  return (
    <div className="traffic-panel">
      <span className="quiet">{t('counts.hint')}</span>
      {list.error && <ProblemNote error={list.error} />}
      {!list.loading && !list.error && points.length === 0 && <span className="quiet">{t('counts.none')}</span>}
      <ul className="traffic-list">
        {points.map((one) => (
          <li key={one.id}>
            <button type="button" className={`traffic-way travel${one.id === chosen ? ' chosen' : ''}`} aria-expanded={one.id === chosen} onClick={() => choose(one)}>
              <b className="grow">{one.lane === null ? one.name : t('counts.lane', { name: one.name, n: one.lane })}</b>
              <Sparkline points={pointsOf(one.recent)} until={list.at * 1000} span={SIX_HOURS} width={90} height={22} label={t('counts.hoursOf', { n: one.recent.length })} />
              {one.now ? <b>{t('counts.flow', { n: Math.round(one.now.flow) })}</b> : <span className="quiet">{t(one.least > 1 ? 'times.few' : 'times.nobody', { n: one.least })}</span>}
              {one.now?.speed_kmh != null && <span>{t('traffic.kmh', { n: Math.round(one.now.speed_kmh) })}</span>}
            </button>
            {one.id === chosen && <Day point={one} onRemove={mayChange ? () => remove(one) : undefined} />}
          </li>
        ))}
      </ul>
      <More more={list.more} />
    </div>
  )
}

function Day({ point, onRemove }: { point: CountPoint; onRemove: (() => void) | undefined }) {
  const asked = useQuery({
    queryKey: ['traffic', 'counts', point.id, 'history'], refetchInterval: 60_000,
    queryFn: ({ signal }) => api.get('traffic/counts/{count_point}/history', { path: { count_point: point.id }, query: { limit: 300 }, signal }),
  })
  const now = point.now
  return (
    <div className="travel-day">
      <span className="quiet">{t(point.source === 'passages' ? 'counts.ofPassages' : 'counts.of', { source: point.source, n: point.lanes })}</span>
      {now && <span>{t('counts.facts', { vehicles: now.vehicles, minutes: Math.round(now.seconds / 60) })}{now.occupancy !== null && ` · ${t('counts.occupancy', { n: Math.round(100 * now.occupancy) })}`}</span>}
      {now && <Kinds now={now} />}
      {asked.error && <ProblemNote error={asked.error} />}
      {asked.data && (
        <Sparkline points={pointsOf(asked.data.items)} until={asked.dataUpdatedAt * 1000} span={DAY} width={290} height={80} label={t('counts.dayOf', { n: asked.data.items.length })} upTo={(most) => t('counts.upTo', { n: Math.round(most) })} />
      )}
      {onRemove && <Button size="small" danger onClick={onRemove}>{t('verb.delete')}</Button>}
    </div>
  )
}

/** Shares of the kinds that are known, the largest first. */
function Kinds({ now }: { now: Counted }) {
  const known = Object.entries(now.kinds).sort(([, one], [, other]) => other - one)
  if (known.length === 0) return null
  const share = (number: number) => Math.round((100 * number) / now.vehicles)
  return (
    <ul className="count-kinds" aria-label={t('counts.kinds')}>
      {known.map(([kind, number]) => (
        <li key={kind}><span>{maybe(`counts.kind.${kind}`) ?? kind}</span><meter min={0} max={100} value={share(number)} aria-hidden /><span>{share(number)} %</span></li>
      ))}
    </ul>
  )
}

function pointsOf(counts: Counted[]): Point[] {
  return counts.map((one) => ({ at: toUs(one.at), value: one.flow, low: 0, high: one.flow }))
}
