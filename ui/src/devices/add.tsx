import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Form, Input, Modal, Segmented, Select } from 'antd'
import { useState } from 'react'
import { api } from '../api/client'
import type { Device, Registration } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { ProblemNote } from '../parts/problem'
import { StateMark } from '../parts/state'
import { t } from '../words'
import { Credentials } from './credentials'

interface Filled {
  name: string
  code?: string
  password?: string
  url?: string
  sub_url?: string
  username?: string
  transport?: string
  area?: string | null
}

interface Tested {
  ok: boolean
  step: string
  sentence: string
  tracks: { codec?: string; width?: number; height?: number; kind?: string }[]
}

type Made = Device & { registration?: Registration | null }

/** Add a camera: what it must be told, or where it is fetched from and whether that works. */
export function AddDevice({ code, onClose }: { code: string; onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null)
  return (
    <Modal open title={t('device.add')} footer={null} onCancel={onClose} width={600} maskClosable={false} destroyOnHidden>
      {made?.registration ? <MadeNote made={made} registration={made.registration} onClose={onClose} /> : <AddForm code={code} onMade={(device) => (device.registration ? setMade(device) : onClose())} />}
    </Modal>
  )
}

export function AddForm({ code, onMade }: { code: string; onMade: (made: Made) => void }) {
  const queries = useQueryClient()
  const [kind, setKind] = useState<'gb28181' | 'rtsp'>('gb28181')
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [tested, setTested] = useState<Tested | 'running' | null>(null)
  const [anyway, setAnyway] = useState(false)
  const mayWrite = kind === 'gb28181' || anyway || (tested !== null && tested !== 'running' && tested.ok)

  const test = async () => {
    const filled = await form.validateFields(['url', 'username', 'password'])
    setTested('running')
    setProblem(null)
    try {
      setTested(await api.post<Tested>('devices/test', { kind: 'rtsp', url: filled.url, username: filled.username ?? '', password: filled.password ?? '' }))
    } catch (error) {
      setTested(null)
      setProblem(error)
    }
  }
  const save = async (filled: Filled) => {
    setBusy(true)
    setProblem(null)
    const given = Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== undefined && value !== ''))
    try {
      const device = await api.post<Made>('devices', { kind, ...given })
      await queries.invalidateQueries({ queryKey: ['devices'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
      onMade(device)
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Form form={form} className="form" layout="vertical" requiredMark={false} initialValues={{ code, transport: kind === 'rtsp' ? 'auto' : 'udp' }} onFinish={(filled: Filled) => void save(filled)} onValuesChange={(change: Partial<Filled>) => ('url' in change || 'username' in change || 'password' in change) && setTested(null)}>
      <Segmented<'gb28181' | 'rtsp'>
        block value={kind} style={{ marginBottom: 8 }}
        onChange={(value) => {
          setKind(value)
          form.setFieldValue('transport', value === 'rtsp' ? 'auto' : 'udp')
        }}
        options={[{ value: 'gb28181', label: t('device.kind.gb28181') }, { value: 'rtsp', label: t('device.kind.rtsp') }]}
      />
      <p className="quiet">{t(kind === 'gb28181' ? 'device.gbExplain' : 'device.rtspExplain')}</p>
      <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={120} autoFocus /></Form.Item>
      {kind === 'gb28181' ? (
        <>
          <Form.Item name="code" label={t('device.code')} extra={t('device.codeHint')} rules={[{ pattern: /^\d{20}$/, message: t('device.codeBad') }, { required: true, message: t('device.codeBad') }]} validateTrigger="onBlur">
            <Input maxLength={20} inputMode="numeric" className="mono" />
          </Form.Item>
          <Form.Item name="password" label={t('device.password')} extra={t('device.passwordMade')}><Input.Password autoComplete="new-password" maxLength={64} /></Form.Item>
          <Form.Item name="transport" label={t('device.transport')}>
            <Select options={['udp', 'tcp_passive', 'tcp_active'].map((value) => ({ value, label: value.replace('_', ' ').toUpperCase() }))} />
          </Form.Item>
        </>
      ) : (
        <>
          <Form.Item name="url" label={t('device.url')} extra={t('device.urlHint')} rules={[{ required: true, pattern: /^rtsps?:\/\/[^\s]+$/, message: t('device.urlBad') }]}><Input maxLength={1000} placeholder="rtsp://" className="mono" /></Form.Item>
          <Form.Item name="sub_url" label={t('device.subUrl')} rules={[{ pattern: /^rtsps?:\/\/[^\s]+$/, message: t('device.urlBad') }]}><Input maxLength={1000} placeholder="rtsp://" className="mono" /></Form.Item>
          <Form.Item name="username" label={t('device.username')}><Input maxLength={64} autoComplete="off" /></Form.Item>
          <Form.Item name="password" label={t('device.cameraPassword')}><Input.Password autoComplete="new-password" maxLength={128} /></Form.Item>
          <TestNote tested={tested} onTest={() => void test()} anyway={anyway} onAnyway={setAnyway} />
        </>
      )}
      <Form.Item name="area" label={t('device.area')}><PlaceSelect what="areas" /></Form.Item>
      <ProblemNote error={problem} />
      <div className="row" style={{ justifyContent: 'flex-end', marginTop: 12 }}>
        <Button type="primary" htmlType="submit" loading={busy} disabled={!mayWrite}>{t('verb.save')}</Button>
      </div>
    </Form>
  )
}

function TestNote({ tested, onTest, anyway, onAnyway }: { tested: Tested | 'running' | null; onTest: () => void; anyway: boolean; onAnyway: (on: boolean) => void }) {
  const done = tested !== null && tested !== 'running'
  const tracks = done ? tested.tracks.map((track) => [track.codec, track.width && track.height ? `${track.width}×${track.height}` : ''].filter(Boolean).join(' ')).join(', ') : ''
  return (
    <div className="panel column" style={{ marginBottom: 12 }}>
      <div className="row">
        <Button onClick={onTest} loading={tested === 'running'}>{t('verb.test')}</Button>
        <span role="status" className="grow">
          {tested === null ? <span className="quiet">{t('device.testFirst')}</span> : !done ? t('device.testing') : tested.ok ? t('device.testOk', { tracks }) : <span className="p2">▲ {tested.sentence || tested.step}</span>}
        </span>
      </div>
      {done && !tested.ok && <Checkbox checked={anyway} onChange={(event) => onAnyway(event.target.checked)}>{t('device.saveAnyway')}</Checkbox>}
    </div>
  )
}

function MadeNote({ made, registration, onClose }: { made: Made; registration: Registration; onClose: () => void }) {
  const { data } = useQuery({ queryKey: ['devices', made.id], queryFn: () => api.get<Device>(`devices/${made.id}`), refetchInterval: 3000 })
  return (
    <div className="column">
      <h2>{t('device.credentials')}</h2>
      <Credentials registration={registration} />
      <p className="p3">▲ {t('device.credentialsOnce')}</p>
      <div className="row" role="status">
        <StateMark state={data?.state ?? 'never'} />
        <span className="quiet">{data?.state === 'online' ? t('device.came') : t('device.waiting')}</span>
        <span className="grow" />
        <Button type="primary" onClick={onClose}>{t('verb.close')}</Button>
      </div>
    </div>
  )
}
