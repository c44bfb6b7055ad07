import { Button, Modal } from 'antd'
import { useState } from 'react'
import type { Tollgate } from '../api/types'
import { middle, Name, place, type Point, Sketch } from '../parts/sketch'
import { t } from '../words'
import { fits, MOST_CORNERS } from './zones'

type Lane = Partial<Tollgate['lanes'][number]>
type Field = { value?: number[][]; onChange?: (zone: number[][]) => void }

/** Where a lane lies in the picture of its camera: a field of a form. */
export function ZoneField({ lane, lanes, value = [], onChange }: { lane: Lane | undefined; lanes: readonly Lane[] | undefined } & Field) {
  const [open, setOpen] = useState(false)
  const camera = lane?.channel
  const others = (lanes ?? []).filter((each) => each && each !== lane && each.channel === camera && (each.zone?.length ?? 0) > 0)
  return (
    <>
      <Button size="small" disabled={!camera} onClick={() => setOpen(true)}>{value.length > 0 ? `${t('tollgate.zone')} ✓` : t('tollgate.zone.draw')}</Button>
      {open && camera && <Drawing camera={camera} number={lane.number ?? 0} others={others} kept={value} onClose={() => setOpen(false)} onDrawn={(zone) => { onChange?.(zone); setOpen(false) }} />}
    </>
  )
}

function Drawing({ camera, number, others, kept, onClose, onDrawn }: { camera: string; number: number; others: readonly Lane[]; kept: number[][]; onClose: () => void; onDrawn: (zone: number[][]) => void }) {
  const [points, setPoints] = useState<Point[]>(kept as Point[])
  const good = fits(points)
  return (
    <Modal open title={t('tollgate.zone.of', { n: number })} width={1080} onCancel={onClose} maskClosable={false} destroyOnHidden
      footer={[
        <Button key="without" disabled={kept.length === 0} onClick={() => onDrawn([])}>{t('tollgate.zone.without')}</Button>,
        <Button key="undo" disabled={points.length === 0} onClick={() => setPoints(points.slice(0, -1))}>{t('tollgate.zone.undo')}</Button>,
        <Button key="keep" type="primary" disabled={!good} onClick={() => onDrawn(points)}>{t('scene.finish')}</Button>,
      ]}>
      <p className="quiet">{t('tollgate.zone.how')}</p>
      <Sketch channel={camera} points={points} closed onPoint={(point) => setPoints(points.length < MOST_CORNERS ? [...points, point] : points)} onFinish={() => good && onDrawn(points)}>
        {others.map((each) => <g key={each.number}><polygon className="lane" points={place(each.zone!)} /><Name at={middle(each.zone!)} name={`${each.number}`} /></g>)}
      </Sketch>
      {points.length >= 3 && !good && <p className="p3" role="alert">▲ {t('tollgate.zone.crosses')}</p>}
    </Modal>
  )
}
