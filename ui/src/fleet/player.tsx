import { CaretRightOutlined, PauseOutlined } from '@ant-design/icons'
import { Button, Select, Slider } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { stamp } from '../parts/times'
import { t } from '../words'
import { Speed } from './speed'
import { type Journey, momentOf, spanOf } from './track'

const PACES = [1, 10, 30, 60, 300]
const BEAT_MS = 50

interface Props {
  journeys: Journey[]
  at: number
  onAt: (at: number) => void
}

/** Plays journeys: a slider over their time, a pace, and how fast they were. */
export function Player({ journeys, at, onAt }: Props) {
  const [playing, setPlaying] = useState(false)
  const [pace, setPace] = useState(60)
  const span = spanOf(journeys)
  const now = useRef({ at, end: span?.end ?? 0 })
  useEffect(() => {
    now.current = { at, end: span?.end ?? 0 }
  })
  useEffect(() => {
    if (!playing) return
    let before = performance.now()
    const timer = window.setInterval(() => {
      const moment = performance.now()
      const next = Math.min(now.current.end, now.current.at + (moment - before) * 1000 * pace)
      before = moment
      onAt(next)
      if (next >= now.current.end) setPlaying(false)
    }, BEAT_MS)
    return () => window.clearInterval(timer)
  }, [playing, pace, onAt])
  if (!span) return null
  const toggle = () => {
    if (!playing && at >= span.end) onAt(span.start)
    setPlaying(!playing)
  }
  const words = playing ? t('fleet.pause') : t('fleet.play')
  const speeds = journeys.map((each) => ({ id: each.id, name: each.name, moment: momentOf(each, at) }))
  return (
    <div className="fleet-player">
      <div className="row">
        <Button type="primary" shape="circle" size="small" aria-label={words} title={words} icon={playing ? <PauseOutlined /> : <CaretRightOutlined />} onClick={toggle} />
        <Slider min={span.start} max={span.end} value={at} onChange={onAt} step={1_000_000} tooltip={{ formatter: (value) => stamp(value ?? 0) }} ariaLabelForHandle={t('fleet.moment')} />
        <Select size="small" value={pace} onChange={setPace} options={PACES.map((value) => ({ value, label: t('fleet.times', { n: value }) }))} aria-label={t('fleet.pace')} style={{ width: 84 }} />
        <span className="mono" role="timer">{stamp(at)}</span>
      </div>
      <div className="row quiet" style={{ flexWrap: 'wrap' }}>
        {speeds.map((each) => <span key={each.id}><b>{each.name}</b> {each.moment && !each.moment.unknown && each.moment.speed !== null ? t('fleet.kmh', { n: Math.round(each.moment.speed) }) : '–'}</span>)}
      </div>
      {journeys[0] && <Speed journey={journeys[0]} start={span.start} end={span.end} at={at} onSeek={onAt} />}
    </div>
  )
}
