import { Button, Input } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Device } from '../api/types'
import { Age } from '../parts/age'
import { StateMark } from '../parts/state'
import type { Point } from '../traffic/view'
import { t } from '../words'
import { Orders } from './orders'

interface Props {
  devices: Device[] | undefined
  chosen: string
  onChoose: (id: string) => void
  onLook: (place: Point) => void
  onReplay: (id: string) => void
  mayReplay: boolean
}

/** All vehicles, and the one that is meant with what it can be told. */
export function Vehicles({ devices, chosen, onChoose, onLook, onReplay, mayReplay }: Props) {
  const [wanted, setWanted] = useState('')
  const found = (devices ?? []).filter((device) => `${device.name} ${device.code}`.toLowerCase().includes(wanted.trim().toLowerCase()))
  const device = devices?.find((each) => each.id === chosen)
  const look = (one: Device) => {
    onChoose(one.id)
    if (one.position) onLook([one.position.longitude, one.position.latitude])
  }
  return (
    <div className="fleet-tab">
      <div style={{ padding: '8px 12px' }}><Input allowClear value={wanted} onChange={(event) => setWanted(event.target.value)} placeholder={t('fleet.find')} aria-label={t('fleet.find')} /></div>
      {devices?.length === 0 && <div className="traffic-panel quiet">{t('fleet.none')}</div>}
      <ul className="traffic-list fleet-list">
        {found.map((one) => (
          <li key={one.id}>
            <button type="button" className={`traffic-way fleet-row ${one.id === chosen ? 'chosen' : ''}`} onClick={() => look(one)}>
              <b>{one.name}</b>
              <StateMark state={one.state} />
              <span className="grow" />
              <span className="quiet">{one.position ? <Age at={one.position.at} /> : '–'}</span>
            </button>
          </li>
        ))}
      </ul>
      {device && (
        <div className="fleet-detail">
          <h2>{device.name} <StateMark state={device.state} /></h2>
          {device.sentence && <span className="quiet">{device.sentence}</span>}
          <span className="quiet">
            {device.position
              ? <>{device.position.latitude.toFixed(5)}, {device.position.longitude.toFixed(5)} · {t('fleet.kmh', { n: Math.round(device.position.speed ?? 0) })} · <Age at={device.position.at} /></>
              : t('fleet.nowhere')}
          </span>
          {device.kind === 'jt808' && <Orders key={device.id} device={device} onLocated={onLook} />}
          <div className="fleet-buttons">
            {mayReplay && <Button size="small" type="primary" onClick={() => onReplay(device.id)}>{t('fleet.replay')}</Button>}
            <Link to={`/devices/${device.id}`}><Button size="small">{t('fleet.device')}</Button></Link>
          </div>
        </div>
      )}
    </div>
  )
}
