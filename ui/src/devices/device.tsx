import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Select, Switch } from 'antd'
import { useEffect, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Channel, Device, Page, Registration } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { Age, When } from '../parts/age'
import { ProblemNote, sentence } from '../parts/problem'
import { StateMark } from '../parts/state'
import { maybe, t, useLanguage } from '../words'
import { Credentials } from './credentials'
import { ChannelTable } from './page'

export function DevicePage() {
  useLanguage()
  const { id = '' } = useParams()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const mayChange = useMay('device.change')
  const mayDelete = useMay('device.delete')
  const asked = useQuery({ queryKey: ['devices', id], queryFn: ({ signal }) => api.get<Device>(`devices/${id}`, undefined, signal), refetchInterval: 10_000 })
  const channels = useQuery({ queryKey: ['channels', 'of', id], queryFn: ({ signal }) => api.get<Page<Channel>>('channels', { device: id, limit: 500 }, signal), refetchInterval: 10_000 })
  const device = asked.data
  if (asked.error) return <div className="page-body"><ProblemNote error={asked.error} retry={() => void asked.refetch()} /></div>
  if (!device) return null
  const refresh = () => {
    api.post(`devices/${id}/refresh`).then(
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
          await api.remove(`devices/${id}`)
          await queries.invalidateQueries({ queryKey: ['devices'] })
          void queries.invalidateQueries({ queryKey: ['tree'] })
          void navigate('/devices')
        } catch (error) {
          void message.error(sentence(error))
        }
      },
    })
  }
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
      <div className="page-body scroll column" style={{ gap: 12 }}>
        <div className="cards">
          <DeviceFacts device={device} />
          {mayChange && <DeviceForm device={device} />}
          {mayChange && device.kind === 'gb28181' && <RegistrationCard id={id} />}
        </div>
        <div style={{ minHeight: 240, flex: 1 }}>
          <ChannelTable rows={channels.data?.items ?? []} loading={channels.isPending} more={undefined} onOpen={(row) => void navigate(`/channels/${row.id}`)} />
        </div>
      </div>
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
  ]
  return (
    <dl className="facts panel">
      {rows.map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

interface Filled {
  name: string
  area?: string | null
  organisation?: string | null
  transport: string
  enabled: boolean
  url?: string
  sub_url?: string
  username?: string
  password?: string
}

function DeviceForm({ device }: { device: Device }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [touched, setTouched] = useState(false)
  useEffect(() => {
    if (!touched) form.setFieldsValue({ ...device, password: '' } as Filled)
  }, [device, form, touched])
  const save = async (filled: Filled) => {
    try {
      const { password, ...rest } = filled
      await api.patch(`devices/${device.id}`, { ...rest, ...(password ? { password } : {}) })
      setProblem(null)
      setTouched(false)
      void message.success(t('device.saved'))
      await queries.invalidateQueries({ queryKey: ['devices'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="panel form" onFinish={(filled: Filled) => void save(filled)} onValuesChange={() => setTouched(true)}>
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
      <Form.Item name="password" label={t(device.kind === 'rtsp' ? 'device.cameraPassword' : 'device.password')}><Input.Password autoComplete="new-password" /></Form.Item>
      <Form.Item name="transport" label={t('device.transport')}>
        <Select options={(device.kind === 'rtsp' ? ['auto', 'tcp', 'udp'] : ['udp', 'tcp_passive', 'tcp_active']).map((value) => ({ value, label: value.replace('_', ' ').toUpperCase() }))} />
      </Form.Item>
      <Form.Item name="enabled" label={t('device.enabled')} valuePropName="checked"><Switch /></Form.Item>
      <ProblemNote error={problem} />
      <Button type="primary" htmlType="submit" disabled={!touched}>{t('verb.save')}</Button>
    </Form>
  )
}

function RegistrationCard({ id }: { id: string }) {
  const { data } = useQuery({ queryKey: ['devices', id, 'registration'], queryFn: ({ signal }) => api.get<Registration>(`devices/${id}/registration`, undefined, signal), staleTime: 60_000, retry: false })
  return data ? <Credentials registration={data} /> : null
}
