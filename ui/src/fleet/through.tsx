import { Modal, Spin } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { Device, Transparent } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { stamp } from '../parts/times'
import { bytes } from '../parts/units'
import { maybe, t } from '../words'

/** What came through a terminal from whatever stands behind it, as it came. Each look is written down. */
export function Through({ device, onEnd }: { device: Device; onEnd: () => void }) {
  const [told, setTold] = useState<Transparent | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  useEffect(() => {
    let gone = false
    api.get('devices/{device}/transparent', { path: { device: device.id } }).then(
      (found) => { if (!gone) setTold(found) },
      (error: unknown) => { if (!gone) setProblem(error) },
    )
    return () => { gone = true }
  }, [device.id])
  return (
    <Modal open width={720} title={`${t('fleet.through')} · ${device.name}`} onCancel={onEnd} footer={null}>
      <div className="column" style={{ gap: 12 }}>
        <p className="quiet">{t('fleet.throughHint')}</p>
        {problem !== null && <ProblemNote error={problem} />}
        {told === null && problem === null && <Spin />}
        {told && told.items.length === 0 && <p className="quiet">{t('fleet.throughNone')}</p>}
        {told?.items.map((each, at) => {
          const kind = maybe(`fleet.through.${each.kind}`) ?? t('fleet.through.own', { n: each.kind })
          return (
            <div key={`${each.at}-${at}`} className="column" style={{ gap: 2 }}>
              <span className="quiet">{stamp(each.at)} · {kind} · {bytes(each.bytes)}</span>
              <code className="mono" style={{ overflowWrap: 'anywhere' }}>{each.data}{each.data.length < 2 * each.bytes && ' …'}</code>
            </div>
          )
        })}
        {told?.key && (
          <div className="column" style={{ gap: 2 }}>
            <span className="quiet">{`${t('fleet.throughKey')} · ${stamp(told.key.at)}`}</span>
            <code className="mono" style={{ overflowWrap: 'anywhere' }}>{`e = ${told.key.e}, n = ${told.key.n}`}</code>
          </div>
        )}
      </div>
    </Modal>
  )
}
