import {
  ArrowDownOutlined, ArrowLeftOutlined, ArrowRightOutlined, ArrowUpOutlined, MinusOutlined, PlusOutlined, UnorderedListOutlined,
} from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Dropdown } from 'antd'
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from 'react'
import { useKeys } from '../app/keys'
import { api, Problem } from '../api/client'
import type { Preset, PtzLock } from '../api/types'
import { sentence } from '../parts/problem'
import { t } from '../words'
import { type Motion, motionOf, Steering } from './steer'

const KEYS = new Set(['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', '+', '-', '='])

interface PtzProps {
  channel: string
  box: RefObject<HTMLElement | null>
  /** The keys are ours: this tile is the chosen one. */
  active: boolean
  /** Pad and mouse too, with a lock that lasts; without them a key press takes the lock for a moment. */
  open: boolean
  onClose: () => void
}

/** Steering one camera: keys while its tile is chosen, pad and mouse while this user holds its lock. */
export function Ptz({ channel, box, active, open, onClose }: PtzProps) {
  const { message } = App.useApp()
  const lock = useLock(channel, open)
  const steering = useMemo(
    () => new Steering(
      (action, motion) => api.post(`channels/${channel}/ptz`, { action, ...motion }),
      (error) => {
        void message.error({ content: sentence(error), key: 'ptz' })
        if (error instanceof Problem && error.status === 409) lock.refetch()
      },
    ),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [channel],
  )
  useEffect(() => () => steering.close(), [steering])
  const mine = open && lock.mine
  usePtzKeys(steering, active && (mine || !open), open ? onClose : null)
  useMouse(steering, box, mine)

  if (!open) return null
  if (!lock.mine) {
    return (
      <div className="ptz-owner" role="status">
        <span>{lock.owner ? t('live.ptz.locked', { owner: lock.owner }) : (lock.problem ?? t('word.loading'))} </span>
        {lock.owner && <Button size="small" onClick={() => lock.take()}>{t('live.ptz.take')}</Button>}
      </div>
    )
  }
  const held = (motion: Partial<Motion>) => ({
    onPointerDown: (event: React.PointerEvent<HTMLButtonElement>) => {
      event.stopPropagation()
      event.currentTarget.setPointerCapture(event.pointerId)
      steering.move(motion)
    },
    onPointerUp: () => steering.stop(),
    onPointerCancel: () => steering.stop(),
  })
  const lens = (action: string, value: Record<string, number>) => ({
    onPointerDown: (event: React.PointerEvent<HTMLButtonElement>) => {
      event.stopPropagation()
      event.currentTarget.setPointerCapture(event.pointerId)
      void api.post(`channels/${channel}/ptz`, { action, ...value }).catch((error: unknown) => void message.error(sentence(error)))
    },
    onPointerUp: () => steering.stop(),
  })
  return (
    <>
      <div className="ptz-owner">{t('live.ptz.mine')}</div>
      <div className="ptz" role="group" aria-label={t('live.ptz')} onDoubleClick={(event) => event.stopPropagation()} onPointerDown={(event) => event.stopPropagation()}>
        <Pad words={t('live.ptz.in')} {...held({ zoom: 0.5 })}><PlusOutlined /></Pad>
        <Pad words={t('live.ptz.up')} {...held({ tilt: 0.5 })}><ArrowUpOutlined /></Pad>
        <Pad words={t('live.ptz.out')} {...held({ zoom: -0.5 })}><MinusOutlined /></Pad>
        <Pad words={t('live.ptz.left')} {...held({ pan: -0.5 })}><ArrowLeftOutlined /></Pad>
        <Presets channel={channel} />
        <Pad words={t('live.ptz.right')} {...held({ pan: 0.5 })}><ArrowRightOutlined /></Pad>
        <Pad words={t('live.ptz.near')} {...lens('focus', { focus: -0.5 })}>N</Pad>
        <Pad words={t('live.ptz.down')} {...held({ tilt: -0.5 })}><ArrowDownOutlined /></Pad>
        <Pad words={t('live.ptz.far')} {...lens('focus', { focus: 0.5 })}>F</Pad>
      </div>
    </>
  )
}

function Pad({ words, children, ...rest }: { words: string; children: ReactNode } & React.ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className="plain-button" aria-label={words} title={words} {...rest}>{children}</button>
}

function useLock(channel: string, on: boolean) {
  const queries = useQueryClient()
  const [problem, setProblem] = useState<string | null>(null)
  const asked = useQuery({
    queryKey: ['ptz', channel],
    queryFn: ({ signal }) => api.get<PtzLock | null>(`channels/${channel}/ptz/lock`, undefined, signal),
    refetchInterval: 10_000,
    enabled: on,
  })
  const take = () => {
    api.put<PtzLock>(`channels/${channel}/ptz/lock`, {}).then(
      (lock) => {
        setProblem(null)
        queries.setQueryData(['ptz', channel], lock)
      },
      (error: unknown) => {
        setProblem(sentence(error))
        void queries.invalidateQueries({ queryKey: ['ptz', channel] })
      },
    )
  }
  useEffect(() => {
    if (!on) return
    take()
    const timer = window.setInterval(() => {
      if (queries.getQueryData<PtzLock>(['ptz', channel])?.mine) take()
    }, 10_000)
    return () => {
      window.clearInterval(timer)
      if (queries.getQueryData<PtzLock>(['ptz', channel])?.mine) void api.remove(`channels/${channel}/ptz/lock`).catch(() => undefined)
      queries.removeQueries({ queryKey: ['ptz', channel] })
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [channel, on])
  const lock = asked.data
  return { mine: lock?.mine ?? false, owner: lock && !lock.mine ? (lock.owner_name ?? lock.owner ?? null) : null, problem, take, refetch: () => void asked.refetch() }
}

function usePtzKeys(steering: Steering, on: boolean, onClose: (() => void) | null): void {
  const held = useRef(new Set<string>())
  const clear = (key: string) => held.current.delete(key)
  useKeys(
    (event) => {
      if (!on) return false
      if (event.key === 'Escape' && onClose) {
        onClose()
        return true
      }
      if (!KEYS.has(event.key)) return false
      held.current.add(event.key === '=' ? '+' : event.key)
      steering.move(motionOf(held.current, event.shiftKey))
      return true
    },
    (event) => {
      if (!on || !KEYS.has(event.key)) return
      clear(event.key === '=' ? '+' : event.key)
      steering.move(motionOf(held.current, event.shiftKey))
    },
  )
  useEffect(() => {
    // A key let go in another window is never reported here.
    const blur = () => {
      held.current.clear()
      steering.stop()
    }
    window.addEventListener('blur', blur)
    return () => window.removeEventListener('blur', blur)
  }, [steering])
}

/** Press beside the middle: the camera turns that way, faster further out; the wheel zooms. */
function useMouse(steering: Steering, box: RefObject<HTMLElement | null>, on: boolean): void {
  useEffect(() => {
    const element = box.current
    if (!element || !on) return
    let pressed = false
    let settle: number | undefined
    const aim = (event: PointerEvent) => {
      const area = element.getBoundingClientRect()
      const part = (value: number) => (Math.abs(value) < 0.08 ? 0 : Math.round(Math.max(-1, Math.min(1, value)) * 10) / 10)
      steering.move({
        pan: part(((event.clientX - area.left) / area.width - 0.5) * 2),
        tilt: part((0.5 - (event.clientY - area.top) / area.height) * 2),
      })
    }
    const down = (event: PointerEvent) => {
      if (event.button !== 0) return
      pressed = true
      element.setPointerCapture(event.pointerId)
      aim(event)
    }
    const move = (event: PointerEvent) => {
      if (pressed) aim(event)
    }
    const up = () => {
      if (pressed) steering.stop()
      pressed = false
    }
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      steering.move({ zoom: event.deltaY < 0 ? 0.6 : -0.6 })
      window.clearTimeout(settle)
      settle = window.setTimeout(() => steering.stop(), 250)
    }
    element.addEventListener('pointerdown', down)
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerup', up)
    element.addEventListener('pointercancel', up)
    element.addEventListener('wheel', wheel, { passive: false })
    return () => {
      window.clearTimeout(settle)
      element.removeEventListener('pointerdown', down)
      element.removeEventListener('pointermove', move)
      element.removeEventListener('pointerup', up)
      element.removeEventListener('pointercancel', up)
      element.removeEventListener('wheel', wheel)
    }
  }, [steering, box, on])
}

function Presets({ channel }: { channel: string }) {
  const { message } = App.useApp()
  const { data } = useQuery({
    queryKey: ['presets', channel],
    queryFn: ({ signal }) => api.get<{ items: Preset[] }>(`channels/${channel}/presets`, undefined, signal),
    staleTime: 60_000,
    retry: false,
  })
  const known = data?.items ?? []
  const items = known.length > 0 ? known : [1, 2, 3, 4, 5, 6, 7, 8].map((number) => ({ number, name: '' }))
  const act = ({ key }: { key: string }) => {
    const [action, number] = key.split(' ')
    api.post(`channels/${channel}/ptz`, { action, number: Number(number) }).catch((error: unknown) => void message.error(sentence(error)))
  }
  const label = (preset: Preset) => preset.name || t('live.ptz.preset', { n: preset.number })
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        onClick: act,
        items: items.map((preset) => ({
          key: String(preset.number), label: label(preset),
          children: [
            { key: `preset_call ${preset.number}`, label: t('live.ptz.call') },
            { key: `preset_set ${preset.number}`, label: t('live.ptz.set') },
          ],
        })),
      }}
    >
      <button type="button" className="plain-button" aria-label={t('live.ptz.presets')} title={t('live.ptz.presets')}><UnorderedListOutlined /></button>
    </Dropdown>
  )
}
