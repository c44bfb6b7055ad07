import {
  ArrowDownOutlined, ArrowLeftOutlined, ArrowRightOutlined, ArrowUpOutlined, BorderOuterOutlined, CloseOutlined, MinusOutlined, PlusOutlined,
} from '@ant-design/icons'
import { type ReactNode, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useKeys } from '../app/keys'
import { useStore } from '../parts/store'
import { type Key, t, useLanguage } from '../words'
import { Cruises, Home, Presets, Scan, Switches } from './functions'
import type { Act } from './ptz'
import { type Motion, speed, type Steering } from './steer'

interface PanelProps {
  channel: string
  name: string
  steering: Steering
  offers: readonly string[]
  act: Act
  /** The keys act on this one. */
  keys: boolean
  drawing: boolean
  onDrawing: (on: boolean) => void
  onClose: () => void
  floating: boolean
}

type Tab = 'preset' | 'cruise' | 'scan' | 'switches' | 'home'
const TABS: [Tab, Key][] = [
  ['preset', 'live.ptz.presets'], ['cruise', 'live.ptz.cruise'], ['scan', 'live.ptz.scan'], ['switches', 'live.ptz.switches'], ['home', 'live.ptz.home'],
]

const KEY_OF: Record<Tab, string> = { preset: 'p', cruise: 'c', scan: 'x', switches: 'w', home: 'h' }

/** All that this camera's head and lens can do, and nothing that it cannot. */
export function Panel({ channel, name, steering, offers, act, keys, drawing, onDrawing, onClose, floating }: PanelProps) {
  useLanguage()
  const { part } = useStore(speed)
  const can = (what: string) => offers.includes(what)
  const switches = offers.filter((each) => each.startsWith('aux_')).map((each) => Number(each.slice(4)))
  const tabs = TABS.filter(([key]) => (key === 'switches' ? switches.length > 0 : can(key)))
  const [chosen, setChosen] = useState<Tab>('preset')
  const tab = tabs.some(([key]) => key === chosen) ? chosen : tabs[0]?.[0]
  const body = useRef<HTMLDivElement>(null)
  useKeys((event) => {
    const wanted = tabs.find(([key]) => KEY_OF[key] === event.key)?.[0]
    if (!keys || !wanted) return false
    flushSync(() => setChosen(wanted))
    body.current?.querySelector<HTMLElement>('input, select, button')?.focus()
    return true
  })
  const held = (motion: Partial<Motion>) => ({
    onPointerDown: (event: React.PointerEvent<HTMLButtonElement>) => {
      event.stopPropagation()
      event.currentTarget.setPointerCapture(event.pointerId)
      steering.move(motion)
    },
    onPointerUp: () => steering.stop(),
    onPointerCancel: () => steering.stop(),
    // Without a mouse: held by space or enter.
    onKeyDown: (event: React.KeyboardEvent) => (event.key === ' ' || event.key === 'Enter') && !event.repeat && steering.move(motion),
    onKeyUp: (event: React.KeyboardEvent) => (event.key === ' ' || event.key === 'Enter') && steering.stop(),
  })
  const axis = (words: Key, key: keyof Motion, less: Key, more: Key) => (
    <div className="ptz-axis">
      <span>{t(words)}</span>
      <Pad words={t(less)} {...held({ [key]: -part })}><MinusOutlined /></Pad>
      <Pad words={t(more)} {...held({ [key]: part })}><PlusOutlined /></Pad>
    </div>
  )
  return (
    <section className={`ptz ${floating ? 'floating' : ''}`} aria-label={t('live.ptz')} onDoubleClick={(event) => event.stopPropagation()} onPointerDown={(event) => event.stopPropagation()} onWheel={(event) => event.stopPropagation()} onKeyDown={leave}>
      <header>
        <h2 className="clip grow" title={name}>{t('live.ptz')} · {name}</h2>
        {can('drag') && (
          <button type="button" className="plain-button" aria-pressed={drawing} aria-label={t('live.ptz.rectangle')} title={t('live.ptz.rectangle')} onClick={() => onDrawing(!drawing)}><BorderOuterOutlined /></button>
        )}
        <button type="button" className="plain-button" aria-label={t('live.ptz.off')} title={`${t('live.ptz.off')} (Esc)`} onClick={onClose}><CloseOutlined /></button>
      </header>
      <div className="ptz-drive">
        {can('move') && (
          <div className="ptz-pad" role="group" aria-label={t('live.ptz.move')}>
            <Pad words={t('live.ptz.upLeft')} {...held({ pan: -part, tilt: part })}><span className="corner">◤</span></Pad>
            <Pad words={t('live.ptz.up')} {...held({ tilt: part })}><ArrowUpOutlined /></Pad>
            <Pad words={t('live.ptz.upRight')} {...held({ pan: part, tilt: part })}><span className="corner">◥</span></Pad>
            <Pad words={t('live.ptz.left')} {...held({ pan: -part })}><ArrowLeftOutlined /></Pad>
            <Pad words={t('live.ptz.stop')} onClick={() => void act('stop')}>■</Pad>
            <Pad words={t('live.ptz.right')} {...held({ pan: part })}><ArrowRightOutlined /></Pad>
            <Pad words={t('live.ptz.downLeft')} {...held({ pan: -part, tilt: -part })}><span className="corner">◣</span></Pad>
            <Pad words={t('live.ptz.down')} {...held({ tilt: -part })}><ArrowDownOutlined /></Pad>
            <Pad words={t('live.ptz.downRight')} {...held({ pan: part, tilt: -part })}><span className="corner">◢</span></Pad>
          </div>
        )}
        <div className="ptz-lens">
          {can('zoom') && axis('live.ptz.zoom', 'zoom', 'live.ptz.out', 'live.ptz.in')}
          {can('focus') && axis('live.ptz.focus', 'focus', 'live.ptz.near', 'live.ptz.far')}
          {can('iris') && axis('live.ptz.iris', 'iris', 'live.ptz.irisClose', 'live.ptz.irisOpen')}
          <label className="ptz-axis">
            <span>{t('live.ptz.speed')}</span>
            <input type="range" min="0.1" max="1" step="0.1" value={part} onChange={(event) => speed.set({ part: Number(event.target.value) })} />
          </label>
        </div>
      </div>
      {tab && (
        <>
          <div className="ptz-tabs" role="tablist" aria-label={t('live.ptz.functions')}>
            {tabs.map(([key, words]) => (
              <button key={key} type="button" role="tab" aria-selected={key === tab} title={`${t(words)} (${KEY_OF[key]})`} onClick={() => setChosen(key)}>{t(words)}</button>
            ))}
          </div>
          <div className="ptz-body" ref={body} role="tabpanel" aria-label={t(TABS.find(([key]) => key === tab)![1])}>
            {tab === 'preset' && <Presets channel={channel} act={act} />}
            {tab === 'cruise' && <Cruises channel={channel} act={act} />}
            {tab === 'scan' && <Scan act={act} />}
            {tab === 'switches' && <Switches numbers={switches} act={act} />}
            {tab === 'home' && <Home channel={channel} act={act} />}
          </div>
        </>
      )}
      {keys && <p className="ptz-hint">{t('live.ptz.hint')}</p>}
    </section>
  )
}

/** Escape in a field gives the keys back to the picture; the next one releases the camera. */
function leave(event: React.KeyboardEvent<HTMLElement>): void {
  if (event.key !== 'Escape' || !(event.target instanceof HTMLElement) || !event.target.matches('input, select')) return
  event.target.blur()
  event.stopPropagation()
}

function Pad({ words, children, ...rest }: { words: string; children: ReactNode } & React.ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className="plain-button" aria-label={words} title={words} {...rest}>{children}</button>
}
