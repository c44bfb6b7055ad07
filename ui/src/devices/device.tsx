import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Select, Switch, Tabs } from 'antd'
import { useEffect, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { api, type Body } from '../api/client'
import { useMay } from '../api/session'
import type { Device } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { Age, When } from '../parts/age'
import { ProblemNote, sentence } from '../parts/problem'
import { differing, useFilled } from '../parts/revised'
import { StateMark } from '../parts/state'
import { maybe, t, useLanguage } from '../words'
import { Cameras } from './cameras'
import { Configuration } from './configuration'
import { Credentials, plainNames, provesItself } from './credentials'
import { Digests } from './digests'
import { Library } from './library'
import { ChannelTable } from './page'
import { Pictures } from './pictures'

const TRANSPORTS: Record<Device['kind'], string[]> = { rtsp: ['auto', 'tcp', 'udp'], gb28181: ['udp', 'tcp_passive', 'tcp_active'], gat1400: ['tcp'], jt808: ['tcp', 'udp'], http: ['tcp'], ais: ['auto'] }

export function DevicePage() {
  useLanguage()
  const { id = '' } = useParams()
  const [query, setQuery] = useSearchParams()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('device.change')
  const mayDelete = useMay('device.delete')
  const mayLook = useMay('vehicle.replay')
  const maySubscriptions = useMay('subscription.see')
  const asked = useQuery({ queryKey: ['devices', id], queryFn: ({ signal }) => api.get('devices/{device}', { path: { device: id }, signal }), refetchInterval: 10_000 })
  const channels = useQuery({ queryKey: ['channels', 'of', id], queryFn: ({ signal }) => api.get('channels', { query: { device: id, limit: 500 }, signal }), refetchInterval: 10_000 })
  const device = asked.data
  if (asked.error) return <div className="page-body"><ProblemNote error={asked.error} retry={() => void asked.refetch()} /></div>
  if (!device) return null
  const refresh = () => {
    api.post('devices/{device}/refresh', { path: { device: id } }).then(
      () => {
        void message.success(t('device.refreshed'))
        void queries.invalidateQueries({ queryKey: ['channels'] })
      },
      (error: unknown) => void message.error(sentence(error)),
    )
  }
  const remove = () => {
    modal.confirm({
      title: t('device.delete', { name: device.name }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: async () => {
        try {
          await api.remove('devices/{device}', { path: { device: id } })
          await queries.invalidateQueries({ queryKey: ['devices'] })
          void queries.invalidateQueries({ queryKey: ['tree'] })
          void navigate('/devices')
        } catch (error) {
          void message.error(sentence(error))
        }
      },
    })
  }
  const overview = (
    <div className="scroll column" style={{ gap: 12, height: '100%' }}>
      <div className="cards device-cards">
        <DeviceFacts device={device} />
        {mayChange && <DeviceForm device={device} />}
        {mayChange && device.kind === 'jt808' && <Cameras id={id} known={(channels.data?.items ?? []).map((each) => each.code)} />}
        {maySubscriptions && device.kind === 'gat1400' && <Library id={id} area={device.area} />}
        {mayChange && device.kind !== 'rtsp' && device.kind !== 'ais' && <RegistrationCard id={id} kind={device.kind} />}
      </div>
      {mayLook && device.kind === 'jt808' && <Pictures key={device.id} device={device} channels={channels.data?.items ?? []} />}
      <div style={{ minHeight: 240, flex: 1 }}>
        <ChannelTable rows={channels.data?.items ?? []} loading={channels.isPending} more={undefined} onOpen={(row) => void navigate(`/channels/${row.id}`)} />
      </div>
    </div>
  )
  const configuration = <div className="scroll" style={{ height: '100%' }}><Configuration whose={{ device: id }} edition={device.version} /></div>
  return (
    <div className="page">
      <div className="page-head">
        <h1>{device.name}</h1>
        <StateMark state={device.state} />
        {device.sentence && <span className="quiet">{device.sentence}</span>}
        <span className="grow" />
        {mayChange && device.kind === 'gb28181' && <Button onClick={refresh}>{t('device.refresh')}</Button>}
        {mayDelete && <Button danger onClick={remove}>{t('verb.delete')}</Button>}
      </div>
      {mayChange && device.kind === 'gb28181' ? (
        <Tabs
          className="page-tabs" activeKey={query.get('tab') ?? 'overview'} onChange={(key) => setQuery({ tab: key })} destroyOnHidden
          items={[{ key: 'overview', label: t('device.overview'), children: overview }, { key: 'configuration', label: t('device.configuration'), children: configuration }]}
        />
      ) : <div className="page-body">{overview}</div>}
    </div>
  )
}

function DeviceFacts({ device }: { device: Device }) {
  const rows: [string, React.ReactNode][] = [
    [t('word.kind'), maybe(`device.kind.${device.kind}`) ?? device.kind],
    [t('word.code'), device.code || '–'],
    ...(device.url ? [[t('device.url'), device.url] as [string, React.ReactNode]] : []),
    [t('word.address'), device.address || '–'],
    [t('device.transport'), device.transport || '–'],
    [t('device.manufacturer'), device.manufacturer || '–'],
    [t('device.model'), device.model || '–'],
    [t('device.firmware'), device.firmware || '–'],
    [t('device.version'), device.version || '–'],
    [t('device.keepalive'), <Age key="age" at={device.last_keepalive} />],
    [t('device.clock'), device.clock_offset_ms ? `${(device.clock_offset_ms / 1000).toFixed(1)} s` : '–'],
    [t('health.since'), <When key="since" at={device.since} />],
    ...(device.digests.length > 0 ? [[t('device.digests'), device.digests.join(', ')] as [string, React.ReactNode]] : []),
    ...(device.position ? [[t('channel.position'), <span key="place">{device.position.latitude.toFixed(5)}, {device.position.longitude.toFixed(5)} · <Age at={device.position.at} /></span>] as [string, React.ReactNode]] : []),
    ...(device.position_seconds ? [[t('device.position'), t('device.positionEvery', { n: device.position_seconds })] as [string, React.ReactNode]] : []),
  ]
  return (
    <div className="panel">
      <h2 style={{ marginBottom: 8 }}>{t('verb.details')}</h2>
      <dl className="facts">
        {rows.map(([name, value]) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

type Filled = Body<'patch', 'devices/{device}'>

const EVERY = [0, 5, 10, 30, 60, 300]

function DeviceForm({ device }: { device: Device }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const maySettings = useMay('settings.see')
  const platform = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.get('settings', { signal }), enabled: maySettings && device.kind === 'gb28181', staleTime: 60_000 })
  const [problem, setProblem] = useState<unknown>(null)
  const [touched, setTouched] = useState(false)
  const base = useFilled(device, touched, () => api.get('devices/{device}', { path: { device: device.id } }))
  useEffect(() => {
    if (!touched) form.setFieldsValue({ ...device, password: '' })
  }, [device, form, touched])
  const save = async (filled: Filled) => {
    try {
      const { password, ...rest } = filled
      const change = { ...differing(base.from(), rest), ...(password ? { password } : {}) }
      await api.patch('devices/{device}', { path: { device: device.id }, body: change, revision: base.revision() })
      setProblem(null)
      setTouched(false)
      void message.success(t('device.saved'))
      await queries.invalidateQueries({ queryKey: ['devices'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
    } catch (error) {
      setProblem(error)
      await base.failed(error)
    }
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="panel" onFinish={(filled: Filled) => void save(filled)} onValuesChange={() => setTouched(true)}>
      <h2 style={{ marginBottom: 8 }}>{t('device.settings')}</h2>
      <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={120} /></Form.Item>
      <Form.Item name="area" label={t('device.area')}><PlaceSelect what="areas" /></Form.Item>
      <Form.Item name="organisation" label={t('device.organisation')}><PlaceSelect what="organisations" /></Form.Item>
      {device.kind === 'rtsp' && (
        <>
          <Form.Item name="url" label={t('device.url')}><Input className="mono" /></Form.Item>
          <Form.Item name="sub_url" label={t('device.subUrl')}><Input className="mono" /></Form.Item>
          <Form.Item name="username" label={t('device.username')}><Input autoComplete="off" /></Form.Item>
        </>
      )}
      {device.kind === 'http' ? (
        <Form.Item name="password" label={t('device.newToken')} extra={t('device.newTokenHint', { name: device.code })} rules={[{ pattern: /^[\w~+/=-]{20,200}$/, message: t('device.newTokenBad') }]}><Input.Password autoComplete="new-password" maxLength={200} /></Form.Item>
      ) : (device.kind === 'rtsp' || provesItself(device.kind)) && (
        <Form.Item name="password" label={t(device.kind === 'rtsp' ? 'device.cameraPassword' : 'device.password')}><Input.Password autoComplete="new-password" /></Form.Item>
      )}
      <Form.Item name="transport" label={t(device.kind === 'jt808' ? 'device.transport.pictures' : 'device.transport')}>
        <Select options={TRANSPORTS[device.kind].map((value) => ({ value, label: value.replace('_', ' ').toUpperCase() }))} />
      </Form.Item>
      {device.kind === 'gb28181' && (
        <Form.Item name="position_seconds" label={t('device.position')} extra={t('device.positionHint')}>
          <Select options={EVERY.map((value) => ({ value, label: value === 0 ? t('device.positionOff') : t('device.positionEvery', { n: value }) }))} />
        </Form.Item>
      )}
      {device.kind === 'gb28181' && (
        <Form.Item name="digests" label={t('device.digests')} extra={t('device.digestsHint')}><Digests label={t('device.digests')} otherwise={platform.data?.digests} /></Form.Item>
      )}
      <Form.Item name="enabled" label={t('device.enabled')} valuePropName="checked"><Switch /></Form.Item>
      <ProblemNote error={problem} />
      <Button type="primary" htmlType="submit" disabled={!touched}>{t('verb.save')}</Button>
    </Form>
  )
}

function RegistrationCard({ id, kind }: { id: string; kind: Device['kind'] }) {
  const { data } = useQuery({ queryKey: ['devices', id, 'registration'], queryFn: ({ signal }) => api.get('devices/{device}/registration', { path: { device: id }, signal }), staleTime: 60_000, retry: false })
  if (!data) return null
  return (
    <div className="panel">
      <h2 style={{ marginBottom: 8 }}>{t('device.credentials')}</h2>
      <Credentials registration={data} named={plainNames(kind)} />
      {provesItself(kind) && <p className="quiet" style={{ marginTop: 8 }}>{t('device.passwordKept')}</p>}
    </div>
  )
}
