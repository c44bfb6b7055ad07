import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Form, Input, InputNumber, Radio, Select, Switch, Tabs } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { api, type Body, type Schemas } from '../api/client'
import { useMay } from '../api/session'
import type { Channel, RecordPolicy } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { Age } from '../parts/age'
import { ProblemNote } from '../parts/problem'
import { useFilled } from '../parts/revised'
import { StateMark } from '../parts/state'
import { bytes } from '../parts/units'
import { type Key, maybe, t, useLanguage } from '../words'
import { Configuration } from './configuration'
import { Week } from './week'

interface Filled {
  name: string
  area?: string | null
  organisation?: string | null
  tags: string[]
  ptz: boolean
  ptz_offers: string[]
  enabled: boolean
  record: RecordPolicy & { max_gigabytes?: number }
}

function filledFrom(channel: Channel, offers: readonly string[]): Filled {
  const { name, area, organisation, tags, ptz, enabled, record } = channel
  const ptz_offers = offers.filter((each) => !UNSHOWN.has(each))
  return { name, area, organisation, tags, ptz, ptz_offers, enabled, record: { ...record, max_gigabytes: Math.round(record.max_bytes / 1e9) } }
}

/** Only what differs, so that two people who change different things do not undo each other. */
export function changesOf(before: Filled, after: Filled): Body<'patch', 'channels/{channel}'> {
  const change: Record<string, unknown> = {}
  for (const key of ['name', 'area', 'organisation', 'tags', 'ptz', 'ptz_offers', 'enabled'] as const) {
    // A field that is not shown is not in the form's values: it does not change.
    if (after[key] !== undefined && JSON.stringify(before[key]) !== JSON.stringify(after[key])) change[key] = after[key]
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
  const [query, setQuery] = useSearchParams()
  const navigate = useNavigate()
  const mayChange = useMay('channel.change')
  const mayAudit = useMay('audit.see')
  const asked = useQuery({ queryKey: ['channels', id], queryFn: ({ signal }) => api.get('channels/{channel}', { path: { channel: id }, signal }), refetchInterval: 10_000 })
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
        {mayAudit && <Button onClick={() => void navigate(`/audit?object=${id}`)}>{t('audit.only.watching')}</Button>}
        <Button onClick={() => void navigate(`/live/${id}`)}>{t('page.live')}</Button>
        <Button onClick={() => void navigate(`/playback?channels=${id}`)}>{t('page.playback')}</Button>
      </div>
      <div className="page-body scroll column" style={{ gap: 12 }}>
        <div className="row wrap quiet">
          <span>{t('word.code')} {channel.code || '–'}</span>
          <span>{t('word.device')} <Link to={`/devices/${channel.device}`}>{channel.device_name || channel.device}</Link></span>
          <span>{[channel.manufacturer, channel.model].filter(Boolean).join(' ')}</span>
          {channel.position && <Where position={channel.position} />}
        </div>
        {mayChange && channel.code !== '' ? (
          <Tabs
            activeKey={query.get('tab') ?? 'settings'} onChange={(key) => setQuery({ tab: key })} destroyOnHidden
            items={[
              { key: 'settings', label: t('channel.settings'), children: <ChannelForm channel={channel} /> },
              { key: 'configuration', label: t('device.configuration'), children: <ChannelConfiguration channel={channel} /> },
            ]}
          />
        ) : mayChange ? <ChannelForm channel={channel} /> : <ChannelFacts channel={channel} />}
      </div>
    </div>
  )
}

/** Where what moves was seen last. */
function Where({ position }: { position: Schemas['PositionOut'] }) {
  return (
    <span>
      {t('channel.position')} {position.latitude.toFixed(5)}, {position.longitude.toFixed(5)}
      {position.speed ? ` · ${t('channel.speed', { n: Math.round(position.speed) })}` : ''} · <Age at={position.at} />
    </span>
  )
}

/** Which edition its device speaks decides what it can be asked. */
function ChannelConfiguration({ channel }: { channel: Channel }) {
  const asked = useQuery({ queryKey: ['devices', channel.device], queryFn: ({ signal }) => api.get('devices/{device}', { path: { device: channel.device }, signal }), staleTime: 60_000, retry: false })
  return asked.isPending ? null : <Configuration whose={{ channel: channel.id }} edition={asked.data?.version ?? ''} />
}

/** For those who may look but not change. */
function ChannelFacts({ channel }: { channel: Channel }) {
  const mode = channel.record.mode
  return (
    <dl className="facts panel" style={{ maxWidth: 480 }}>
      <dt>{t('word.area')}</dt><dd>{channel.area_name || '–'}</dd>
      <dt>{t('channel.tags')}</dt><dd>{channel.tags.join(', ') || '–'}</dd>
      <dt>{t('channel.mode')}</dt><dd>{t(`channel.mode.${mode}`)}</dd>
      <dt>{t('channel.retention')}</dt><dd>{channel.record.retention_days} {t('channel.days')}</dd>
    </dl>
  )
}

function ChannelForm({ channel }: { channel: Channel }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [change, setChange] = useState<Body<'patch', 'channels/{channel}'>>({})
  const mode = Form.useWatch(['record', 'mode'], form)
  const touched = Object.keys(change).length > 0
  const steered = Form.useWatch('ptz', form)
  const head = useQuery({ queryKey: ['channels', channel.id, 'ptz'], queryFn: ({ signal }) => api.get('channels/{channel}/ptz', { path: { channel: channel.id }, signal }), staleTime: 60_000, enabled: channel.ptz })
  const offers = head.data?.offers ?? NONE
  const filled = useMemo(() => filledFrom(channel, offers), [channel, offers])
  const base = useFilled(channel, touched, () => api.get('channels/{channel}', { path: { channel: channel.id } }))
  useEffect(() => {
    if (!touched) form.setFieldsValue(filled)
  }, [filled, form, touched])
  const save = async () => {
    try {
      await api.patch('channels/{channel}', { path: { channel: channel.id }, body: change, revision: base.revision() })
      setProblem(null)
      setChange({})
      void message.success(t('device.saved'))
      await queries.invalidateQueries({ queryKey: ['channels'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
    } catch (error) {
      setProblem(error)
      await base.failed(error)
    }
  }
  const number = (name: keyof Filled['record'], words: Key, unit: Key, hint?: Key, max = 3650) => (
    <Form.Item name={['record', name]} label={t(words)} {...(hint ? { extra: t(hint) } : {})}><InputNumber min={0} max={max} addonAfter={t(unit)} style={{ width: 180 }} /></Form.Item>
  )
  return (
    <Form
      form={form} layout="vertical" requiredMark={false} onFinish={() => void save()}
      onValuesChange={(_, all) => setChange(changesOf(filledFrom(base.from(), offers), all as Filled))} initialValues={filled}
    >
      <div className="channel-cards">
        <div className="panel">
          <h2 style={{ marginBottom: 8 }}>{t('channel.settings')}</h2>
          <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={120} /></Form.Item>
          <Form.Item name="area" label={t('word.area')}><PlaceSelect what="areas" /></Form.Item>
          <Form.Item name="organisation" label={t('device.organisation')}><PlaceSelect what="organisations" /></Form.Item>
          <Form.Item name="tags" label={t('channel.tags')}><Select mode="tags" tokenSeparators={[',', '，', ' ']} open={false} suffixIcon={null} /></Form.Item>
          <div className="row" style={{ gap: 32 }}>
            <Form.Item name="ptz" label={t('channel.ptz')} valuePropName="checked"><Switch /></Form.Item>
            <Form.Item name="enabled" label={t('device.enabled')} valuePropName="checked"><Switch /></Form.Item>
          </div>
          {steered && head.data && head.data.possible.length > 0 && (
            <Form.Item name="ptz_offers" label={t('channel.offers')} extra={t('channel.offersHint')}>
              <Checkbox.Group className="offers" options={shownOffers(head.data.possible).map((value) => ({ value, label: offerWords(value) }))} />
            </Form.Item>
          )}
        </div>
        <div className="panel" style={{ minWidth: 0 }}>
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
        <Button onClick={() => { setChange({}); form.setFieldsValue(filled) }} disabled={!touched}>{t('verb.cancel')}</Button>
        <Button type="primary" htmlType="submit" disabled={!touched}>{t('verb.save')}</Button>
      </div>
      <ProblemNote error={problem} />
    </Form>
  )
}

const NONE: readonly string[] = []
/** What the standard has and the panel has no button for. */
const UNSHOWN = new Set(['precise', 'track'])
const SWITCHES = ['aux_1', 'aux_2', 'aux_3', 'aux_4']

/** A terminal in a vehicle says which switches there are; of others nobody knows. */
function shownOffers(possible: readonly string[]): readonly string[] {
  const shown = possible.filter((each) => !UNSHOWN.has(each))
  return shown.some((each) => each.startsWith('aux_')) ? shown : [...shown, ...SWITCHES]
}

function offerWords(offer: string): string {
  if (!offer.startsWith('aux_')) return maybe(`offer.${offer}`) ?? offer
  const number = offer.slice(4)
  return maybe(`live.ptz.aux.${number}`) ?? t('live.ptz.aux', { n: number })
}

function described(change: object): string {
  const flat = { ...change, ...('record' in change ? (change.record as object) : {}) } as Record<string, unknown>
  delete flat['record']
  return Object.entries(flat).map(([key, value]) => `${key} = ${key === 'max_bytes' ? bytes(Number(value)) : Array.isArray(value) ? value.length : String(value)}`).join(', ')
}
