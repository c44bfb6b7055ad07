import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, InputNumber, Radio, Select, Switch } from 'antd'
import { useEffect, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Channel, RecordPolicy } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { ProblemNote } from '../parts/problem'
import { StateMark } from '../parts/state'
import { bytes } from '../parts/units'
import { type Key, t, useLanguage } from '../words'
import { Week } from './week'

interface Filled {
  name: string
  area?: string | null
  tags: string[]
  ptz: boolean
  enabled: boolean
  record: RecordPolicy & { max_gigabytes?: number }
}

const RECORD: Required<Omit<RecordPolicy, 'zone'>> = {
  mode: 'continuous', quality: 'main', schedule: [], pre_roll_seconds: 10, post_roll_seconds: 30, retention_days: 30, max_bytes: 0, floor_days: 1,
}

function filledFrom(channel: Channel): Filled {
  const record = { ...RECORD, ...channel.record }
  return { name: channel.name, area: channel.area ?? null, tags: channel.tags ?? [], ptz: channel.ptz ?? false, enabled: channel.enabled ?? true, record: { ...record, max_gigabytes: Math.round((record.max_bytes ?? 0) / 1e9) } }
}

/** Only what differs, so that two people who change different things do not undo each other. */
export function changesOf(before: Filled, after: Filled): Record<string, unknown> {
  const change: Record<string, unknown> = {}
  for (const key of ['name', 'area', 'tags', 'ptz', 'enabled'] as const) {
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) change[key] = after[key]
  }
  const record: Record<string, unknown> = {}
  for (const key of ['mode', 'quality', 'schedule', 'pre_roll_seconds', 'post_roll_seconds', 'retention_days', 'floor_days'] as const) {
    if (after.record[key] !== undefined && JSON.stringify(before.record[key]) !== JSON.stringify(after.record[key])) record[key] = after.record[key]
  }
  if (after.record.max_gigabytes !== undefined && before.record.max_gigabytes !== after.record.max_gigabytes) record['max_bytes'] = after.record.max_gigabytes * 1e9
  return Object.keys(record).length > 0 ? { ...change, record } : change
}

export function ChannelPage() {
  useLanguage()
  const { id = '' } = useParams()
  const navigate = useNavigate()
  const mayChange = useMay('channel.change')
  const asked = useQuery({ queryKey: ['channels', id], queryFn: ({ signal }) => api.get<Channel>(`channels/${id}`, undefined, signal), refetchInterval: 10_000 })
  const channel = asked.data
  if (asked.error) return <div className="page-body"><ProblemNote error={asked.error} retry={() => void asked.refetch()} /></div>
  if (!channel) return null
  return (
    <div className="page">
      <div className="page-head">
        <h1>{channel.name}</h1>
        <StateMark state={channel.state} />
        {channel.sentence && <span className="quiet">{channel.sentence}</span>}
        <span className="grow" />
        <Button onClick={() => void navigate(`/live/${id}`)}>{t('page.live')}</Button>
        <Button onClick={() => void navigate(`/playback?channels=${id}`)}>{t('page.playback')}</Button>
      </div>
      <div className="page-body scroll column" style={{ gap: 12 }}>
        <div className="row wrap quiet">
          <span>{t('word.code')} {channel.code || '–'}</span>
          <span>{t('word.device')} <Link to={`/devices/${channel.device}`}>{channel.device_name || channel.device}</Link></span>
          <span>{[channel.manufacturer, channel.model].filter(Boolean).join(' ')}</span>
        </div>
        {mayChange ? <ChannelForm channel={channel} /> : null}
      </div>
    </div>
  )
}

function ChannelForm({ channel }: { channel: Channel }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [change, setChange] = useState<Record<string, unknown>>({})
  const mode = Form.useWatch(['record', 'mode'], form)
  const touched = Object.keys(change).length > 0
  useEffect(() => {
    if (!touched) form.setFieldsValue(filledFrom(channel))
  }, [channel, form, touched])
  const save = async () => {
    try {
      await api.patch(`channels/${channel.id}`, change)
      setProblem(null)
      setChange({})
      void message.success(t('device.saved'))
      await queries.invalidateQueries({ queryKey: ['channels'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
    } catch (error) {
      setProblem(error)
    }
  }
  const number = (name: keyof Filled['record'], words: Key, unit: Key, hint?: Key, max = 3650) => (
    <Form.Item name={['record', name]} label={t(words)} {...(hint ? { extra: t(hint) } : {})}><InputNumber min={0} max={max} addonAfter={t(unit)} style={{ width: 180 }} /></Form.Item>
  )
  return (
    <Form
      form={form} layout="vertical" requiredMark={false} onFinish={() => void save()}
      onValuesChange={(_, all) => setChange(changesOf(filledFrom(channel), all as Filled))} initialValues={filledFrom(channel)}
    >
      <div className="cards">
        <div className="panel">
          <h2 style={{ marginBottom: 8 }}>{t('channel.settings')}</h2>
          <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={120} /></Form.Item>
          <Form.Item name="area" label={t('word.area')}><PlaceSelect what="areas" /></Form.Item>
          <Form.Item name="tags" label={t('channel.tags')}><Select mode="tags" tokenSeparators={[',', '，', ' ']} open={false} suffixIcon={null} /></Form.Item>
          <div className="row" style={{ gap: 32 }}>
            <Form.Item name="ptz" label={t('channel.ptz')} valuePropName="checked"><Switch /></Form.Item>
            <Form.Item name="enabled" label={t('device.enabled')} valuePropName="checked"><Switch /></Form.Item>
          </div>
        </div>
        <div className="panel" style={{ gridColumn: 'span 2', minWidth: 0 }}>
          <h2 style={{ marginBottom: 8 }}>{t('channel.recording')}</h2>
          <Form.Item name={['record', 'mode']} label={t('channel.mode')}>
            <Radio.Group optionType="button" options={(['off', 'continuous', 'schedule'] as const).map((value) => ({ value, label: t(`channel.mode.${value}`) }))} />
          </Form.Item>
          <div hidden={mode !== 'schedule'}><Form.Item name={['record', 'schedule']}><Week /></Form.Item></div>
          <div className="row wrap" style={{ gap: 24, alignItems: 'flex-start' }}>
            <Form.Item name={['record', 'quality']} label={t('channel.quality')}>
              <Select style={{ width: 140 }} options={[{ value: 'main', label: t('word.main') }, { value: 'sub', label: t('word.sub') }]} />
            </Form.Item>
            {number('pre_roll_seconds', 'channel.preRoll', 'channel.seconds', undefined, 300)}
            {number('post_roll_seconds', 'channel.postRoll', 'channel.seconds', undefined, 3600)}
          </div>
          <div className="row wrap" style={{ gap: 24, alignItems: 'flex-start' }}>
            {number('retention_days', 'channel.retention', 'channel.days', 'channel.retentionHint')}
            {number('floor_days', 'channel.floor', 'channel.days', 'channel.floorHint')}
            {number('max_gigabytes', 'channel.maxBytes', 'channel.gigabytes', undefined, 1_000_000)}
          </div>
        </div>
      </div>
      <div className="panel row wrap" style={{ marginTop: 12 }}>
        <span className="quiet">{touched ? t('channel.change') : t('channel.unchanged')}</span>
        {touched && <code className="grow">{described(change)}</code>}
        {!touched && <span className="grow" />}
        <Button onClick={() => { setChange({}); form.setFieldsValue(filledFrom(channel)) }} disabled={!touched}>{t('verb.cancel')}</Button>
        <Button type="primary" htmlType="submit" disabled={!touched}>{t('verb.save')}</Button>
      </div>
      <ProblemNote error={problem} />
    </Form>
  )
}

function described(change: Record<string, unknown>): string {
  const flat = { ...change, ...(change['record'] as object | undefined) } as Record<string, unknown>
  delete flat['record']
  return Object.entries(flat).map(([key, value]) => `${key} = ${key === 'max_bytes' ? bytes(Number(value)) : Array.isArray(value) ? value.length : String(value)}`).join(', ')
}
