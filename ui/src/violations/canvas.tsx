import { useState } from 'react'
import { address } from '../api/client'
import { t } from '../words'
import { COLOURS, middle, type Point, type Scene } from './drawing'

const WIDTH = 1600
const HEIGHT = 900
const place = (points: readonly (readonly number[])[]) => points.map(([x = 0, y = 0]) => `${x * WIDTH},${y * HEIGHT}`).join(' ')

/** The picture of now, with what is drawn on it. */
export function Canvas({ channel, scene, points, closed, onPoint, onFinish }: { channel: string; scene: Scene; points: readonly Point[]; closed: boolean; onPoint: (point: Point) => void; onFinish: () => void }) {
  const [shape, setShape] = useState(16 / 9)
  const [gone, setGone] = useState(false)
  return (
    <div className="evidence-view scene-canvas" style={{ aspectRatio: shape }}>
      {!gone && <img src={address('channels/{channel}/snapshot', { path: { channel }, query: { width: 1600 } })} alt={t('scene.picture')} onLoad={(event) => setShape(event.currentTarget.naturalWidth / event.currentTarget.naturalHeight)} onError={() => setGone(true)} />}
      {gone && <span className="quiet">{t('scene.noPicture')}</span>}
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={t('scene.picture')}
        onClick={(event) => {
          if (event.detail > 1) return
          const box = event.currentTarget.getBoundingClientRect()
          onPoint([round((event.clientX - box.left) / box.width), round((event.clientY - box.top) / box.height)])
        }}
        onDoubleClick={onFinish}
      >
        {scene.lanes.map((lane) => <g key={`l${lane.number}`}><polygon className="lane" points={place(lane.area)} /><Arrow area={lane.area} heading={lane.heading} /><Name at={middle(lane.area)} name={`${lane.number}`} /></g>)}
        {scene.exits.map((exit, at) => <g key={`e${at}`}><polygon className="exit" points={place(exit.area)} /><Name at={middle(exit.area)} name={t(`scene.turn.${exit.turn}`)} /></g>)}
        {scene.zones.map((zone, at) => <g key={`z${at}`}><polygon className="zone" points={place(zone.area)} /><Name at={middle(zone.area)} name={zone.name} /></g>)}
        {scene.stop_lines.map((line, at) => <polyline key={`s${at}`} className="stop" points={place(line)} />)}
        {scene.solid_lines.map((line, at) => <polyline key={`o${at}`} className="solid" points={place(line)} />)}
        {scene.lamps.flatMap((lamp) => COLOURS.map((colour) => {
          const region = lamp[colour]
          return region ? <rect key={`${lamp.signal}${colour}`} className="lamp" x={region[0]! * WIDTH} y={region[1]! * HEIGHT} width={(region[2]! - region[0]!) * WIDTH} height={(region[3]! - region[1]!) * HEIGHT} /> : null
        }))}
        {points.length > 0 && (closed && points.length > 2 ? <polygon className="drawing" points={place(points)} /> : <polyline className="drawing" points={place(points)} />)}
        {points.map(([x, y], at) => <circle key={at} className="drawing" cx={x * WIDTH} cy={y * HEIGHT} r="6" />)}
      </svg>
    </div>
  )
}

const round = (share: number) => Math.round(Math.min(Math.max(share, 0), 1) * 10_000) / 10_000

function Arrow({ area, heading }: { area: readonly (readonly number[])[]; heading: readonly number[] }) {
  const [x, y] = middle(area)
  const length = Math.hypot(heading[0]! * WIDTH, heading[1]! * HEIGHT) || 1
  const [dx, dy] = [(heading[0]! * WIDTH * 70) / length, (heading[1]! * HEIGHT * 70) / length]
  const [tipX, tipY] = [x * WIDTH + dx, y * HEIGHT + dy]
  return <path className="arrow" d={`M${x * WIDTH - dx},${y * HEIGHT - dy} L${tipX},${tipY} M${tipX - dx / 3 - dy / 4},${tipY - dy / 3 + dx / 4} L${tipX},${tipY} L${tipX - dx / 3 + dy / 4},${tipY - dy / 3 - dx / 4}`} />
}

function Name({ at, name }: { at: Point; name: string }) {
  return <text x={at[0] * WIDTH + 14} y={at[1] * HEIGHT + 8}>{name}</text>
}
