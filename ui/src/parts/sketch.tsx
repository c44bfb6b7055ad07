import { type ReactNode, useState } from 'react'
import { address } from '../api/client'
import { t } from '../words'

export type Point = [number, number]

const WIDTH = 1600
const HEIGHT = 900

/** Shares of the picture as points of the drawing that lies over it. */
export const place = (points: readonly (readonly number[])[]) => points.map(([x = 0, y = 0]) => `${x * WIDTH},${y * HEIGHT}`).join(' ')

/** Where a shape has its name: the mean of its points. */
export const middle = (points: readonly (readonly number[])[]): Point => [
  points.reduce((sum, each) => sum + each[0]!, 0) / points.length, points.reduce((sum, each) => sum + each[1]!, 0) / points.length,
]

/** The picture of now, to draw on: what is drawn already (`children`), and the points of what is drawn now. */
export function Sketch({ channel, points, closed, onPoint, onFinish, children }: { channel: string; points: readonly Point[]; closed: boolean; onPoint: (point: Point) => void; onFinish: () => void; children?: ReactNode }) {
  const [shape, setShape] = useState(WIDTH / HEIGHT)
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
        {children}
        {points.length > 0 && (closed && points.length > 2 ? <polygon className="drawing" points={place(points)} /> : <polyline className="drawing" points={place(points)} />)}
        {points.map(([x, y], at) => <circle key={at} className="drawing" cx={x * WIDTH} cy={y * HEIGHT} r="6" />)}
      </svg>
    </div>
  )
}

const round = (share: number) => Math.round(Math.min(Math.max(share, 0), 1) * 10_000) / 10_000

/** A rectangle by two opposite corners. */
export function Box({ region, className }: { region: readonly number[]; className: string }) {
  return <rect className={className} x={region[0]! * WIDTH} y={region[1]! * HEIGHT} width={(region[2]! - region[0]!) * WIDTH} height={(region[3]! - region[1]!) * HEIGHT} />
}

/** Which way something goes, from the middle of its area. */
export function Arrow({ area, heading }: { area: readonly (readonly number[])[]; heading: readonly number[] }) {
  const [x, y] = middle(area)
  const length = Math.hypot(heading[0]! * WIDTH, heading[1]! * HEIGHT) || 1
  const [dx, dy] = [(heading[0]! * WIDTH * 70) / length, (heading[1]! * HEIGHT * 70) / length]
  const [tipX, tipY] = [x * WIDTH + dx, y * HEIGHT + dy]
  return <path className="arrow" d={`M${x * WIDTH - dx},${y * HEIGHT - dy} L${tipX},${tipY} M${tipX - dx / 3 - dy / 4},${tipY - dy / 3 + dx / 4} L${tipX},${tipY} L${tipX - dx / 3 + dy / 4},${tipY - dy / 3 - dx / 4}`} />
}

export function Name({ at, name }: { at: Point; name: string }) {
  return <text x={at[0] * WIDTH + 14} y={at[1] * HEIGHT + 8}>{name}</text>
}
