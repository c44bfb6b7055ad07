import { DeleteOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Input, InputNumber } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { VolumeSet, VolumeState } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { bytes } from '../parts/units'
import { t } from '../words'
import type { StepProps } from './page'

/** What is set, and what the disk said of it when it was set. */
type Volume = VolumeSet & Partial<VolumeState>

const NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/

export function VolumesStep({ onReady }: StepProps) {
  const { data, error } = useQuery({ queryKey: ['wizard', 'volumes'], queryFn: ({ signal }) => api.get('wizard/volumes', { signal }) })
  const [edited, setEdited] = useState<Volume[] | null>(null)
  const volumes = edited ?? data?.items ?? []
  useEffect(() => {
    onReady(edited ? async () => {
      await api.put('wizard/volumes', { body: { volumes: edited.map(({ name, path, max_gib, layout, extent_mib }) => ({ name, path, max_gib, layout, extent_mib })) } })
    } : null)
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [edited])
  const change = (index: number, part: Partial<Volume>) => setEdited(volumes.map((each, at) => (at === index ? { ...each, ...part } : each)))
  const add = () => setEdited([...volumes, { name: `volume-${volumes.length + 1}`, path: '', max_gib: 0, layout: 'auto', extent_mib: 64 }])
  return (
    <div className="column">
      <p>{t('wizard.volumes')}</p>
      <ProblemNote error={error} />
      {volumes.map((volume, index) => (
        <div key={index} className="panel column">
          <div className="row wrap" style={{ alignItems: 'flex-end', gap: 12 }}>
            <label className="field">{t('wizard.volumes.name')} <Input value={volume.name} maxLength={32} style={{ width: 130 }} status={NAME.test(volume.name) ? '' : 'error'} onChange={(event) => change(index, { name: event.target.value })} /></label>
            <label className="field grow">{t('wizard.volumes.path')} <Input className="mono" value={volume.path} maxLength={500} style={{ minWidth: 180 }} onChange={(event) => change(index, { path: event.target.value })} /></label>
            <label className="field">{t('wizard.volumes.max')} <InputNumber min={0} value={volume.max_gib} style={{ width: 130 }} onChange={(value) => change(index, { max_gib: value ?? 0 })} /></label>
            {volumes.length > 1 && <Button type="text" icon={<DeleteOutlined />} aria-label={`${t('verb.delete')}: ${volume.name}`} onClick={() => setEdited(volumes.filter((_, at) => at !== index))} />}
          </div>
          {!NAME.test(volume.name) && <span className="p3">▲ {t('wizard.volumes.nameBad')}</span>}
          <span className="quiet">
            {volume.absolute && <span className="mono">{volume.absolute} </span>}
            {volume.total_bytes ? t('wizard.volumes.free', { free: bytes(volume.free_bytes ?? 0), total: bytes(volume.total_bytes) }) : ''}
          </span>
          {volume.code && <span className="p2">▲ {volume.sentence || volume.code}</span>}
        </div>
      ))}
      <div><Button onClick={add}>{t('wizard.volumes.add')}</Button></div>
    </div>
  )
}
