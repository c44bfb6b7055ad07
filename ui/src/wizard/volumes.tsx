import { DeleteOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Input, InputNumber } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { Page } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { bytes } from '../parts/units'
import { t } from '../words'
import type { StepProps } from './page'

interface Volume {
  name: string
  path: string
  max_gib: number
  layout: string
  extent_mib: number
  absolute?: string
  total_bytes?: number
  free_bytes?: number
  code?: string
  sentence?: string
}

export function VolumesStep({ onReady }: StepProps) {
  const { data, error } = useQuery({ queryKey: ['wizard', 'volumes'], queryFn: ({ signal }) => api.get<Page<Volume>>('wizard/volumes', undefined, signal) })
  const [edited, setEdited] = useState<Volume[] | null>(null)
  const volumes = edited ?? data?.items ?? []
  useEffect(() => {
    onReady(edited ? async () => {
      await api.put('wizard/volumes', { volumes: edited.map(({ name, path, max_gib, layout, extent_mib }) => ({ name, path, max_gib, layout, extent_mib })) })
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
          <div className="row wrap">
            <label className="row">{t('wizard.volumes.name')} <Input value={volume.name} maxLength={32} style={{ width: 140 }} onChange={(event) => change(index, { name: event.target.value })} /></label>
            <label className="row grow">{t('wizard.volumes.path')} <Input className="mono" value={volume.path} maxLength={500} onChange={(event) => change(index, { path: event.target.value })} /></label>
            <label className="row">{t('wizard.volumes.max')} <InputNumber min={0} value={volume.max_gib} style={{ width: 110 }} onChange={(value) => change(index, { max_gib: value ?? 0 })} /></label>
            {volumes.length > 1 && <Button type="text" icon={<DeleteOutlined />} aria-label={`${t('verb.delete')}: ${volume.name}`} onClick={() => setEdited(volumes.filter((_, at) => at !== index))} />}
          </div>
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
