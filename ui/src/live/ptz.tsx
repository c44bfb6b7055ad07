import { useQuery } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { type RefObject, useCallback, useEffect, useMemo, useState } from 'react'
import { createPortal } from 'react-dom'
import { api, type Body, Problem } from '../api/client'
import type { PtzAct } from '../api/types'
import { sentence } from '../parts/problem'
import { t } from '../words'
import { useDock } from './dock'
import { type Drag, useAim, usePtzKeys, useRectangle } from './hands'
import { useLock } from './lock'
import { Panel } from './panel'
import { Steering } from './steer'

interface PtzProps {
  channel: string
  name: string
  box: RefObject<HTMLElement | null>
  /** The keys are ours: this tile is the chosen one. */
  active: boolean
  /** Pad and mouse too, with a lock that lasts; without them a key press takes the lock for a moment. */
  open: boolean
  onClose: () => void
}

/** What can be steered of this camera. */
export function useHead(channel: string, on: boolean): readonly string[] {
  const { data } = useQuery({
    queryKey: ['channels', channel, 'ptz'],
    queryFn: ({ signal }) => api.get('channels/{channel}/ptz', { path: { channel }, signal }),
    staleTime: 60_000,
    enabled: on,
  })
  return data?.offers ?? NOTHING
}

const NOTHING: readonly string[] = []

/** One act that is no motion. */
export type Act = (action: PtzAct, rest?: Omit<Body<'post', 'channels/{channel}/ptz'>, 'action'>) => Promise<boolean>

export function useAct(channel: string): Act {
  const { message } = App.useApp()
  return useCallback(
    async (action, rest = {}) => {
      try {
        await api.post('channels/{channel}/ptz', { path: { channel }, body: { action, ...rest } })
        return true
      } catch (error) {
        void message.error({ content: sentence(error), key: 'ptz' })
        return false
      }
    },
    [channel, message],
  )
}

/** Steering one camera: keys while its tile is chosen, panel and mouse while this user holds its lock. */
export function Ptz({ channel, name, box, active, open, onClose }: PtzProps) {
  const { message } = App.useApp()
  const [drawing, setDrawing] = useState(false)
  const act = useAct(channel)
  const offers = useHead(channel, active || open)
  const steering = useMemo(
    () => new Steering(
      (command) => api.post('channels/{channel}/ptz', { path: { channel }, body: command }),
      (error) => {
        void message.error({ content: sentence(error), key: 'ptz' })
        if (error instanceof Problem && error.status === 409) lock.refetch()
      },
    ),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [channel],
  )
  const lock = useLock(channel, active, open, (owner) => {
    steering.drop()
    void message.warning({ content: t('live.ptz.lost', { owner }), key: 'ptz', duration: 6 })
  })
  useEffect(() => () => steering.close(), [steering])
  const mine = open && lock.mine
  const shortcut = (key: string): boolean => {
    if (key === 'Escape') onClose()
    else if (key === 'd' && offers.includes('drag')) setDrawing(!drawing)
    else return false
    return true
  }
  usePtzKeys(steering, active && (mine || !open), mine, shortcut)
  const rectangle = useRectangle(box, mine && drawing, (closer: boolean, drag: Drag) => {
    void act(closer ? 'drag_in' : 'drag_out', { drag: { ...drag } })
  })
  useAim(steering, box, mine && !drawing)
  const stand = useDock()

  if (!open) return active && lock.owner ? <div className="ptz-owner">{t('live.ptz.locked', { owner: lock.owner })}</div> : null
  if (!lock.mine) {
    return (
      <div className="ptz-owner" role="status">
        <span>{lock.owner ? t('live.ptz.locked', { owner: lock.owner }) : lock.known ? t('live.ptz.free') : t('word.loading')}</span>
        {lock.owner && lock.problem && <span className="quiet">{t('live.ptz.equal')}</span>}
        {lock.known && <Button size="small" onClick={lock.take}>{t(lock.owner ? 'live.ptz.take' : 'live.ptz.on')}</Button>}
        <Button size="small" type="text" onClick={onClose}>{t('verb.close')}</Button>
      </div>
    )
  }
  const panel = (
    <Panel
      channel={channel} name={name} steering={steering} offers={offers} act={act} keys={active} drawing={drawing}
      onDrawing={setDrawing} onClose={onClose} floating={stand === null}
    />
  )
  return (
    <>
      <div className="ptz-owner">{t(drawing ? 'live.ptz.drawing' : 'live.ptz.mine')}</div>
      {rectangle && <div className="ptz-rectangle" style={rectangle} />}
      {stand ? (active ? createPortal(panel, stand) : null) : panel}
    </>
  )
}
