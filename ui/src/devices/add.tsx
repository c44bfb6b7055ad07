import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Form, Input, Modal, Segmented, Select } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import type { DeviceMade, DeviceTested, Registration } from '../api/types'
import { PlaceSelect } from '../admin/choose'
import { ProblemNote } from '../parts/problem'
import { StateMark } from '../parts/state'
import { type Key, t } from '../words'
import { Credentials, plainNames } from './credentials'

type Kind = Body<'post', 'devices'>['kind']
type Filled = Omit<Body<'post', 'devices'>, 'kind'>

const TRANSPORT: Record<Kind, 'auto' | 'udp' | 'tcp'> = { gb28181: 'udp', rtsp: 'auto', gat1400: 'tcp', jt808: 'tcp', http: 'tcp', ais: 'auto' }
const EXPLAIN: Record<Kind, Key> = { gb28181: 'device.gbExplain', rtsp: 'device.rtspExplain', gat1400: 'device.viidExplain', jt808: 'device.jtExplain', http: 'device.httpExplain', ais: 'device.aisExplain' }

/** Add a camera: what it must be told, or where it is fetched from and whether that works. */
export function AddDevice({ code, kind = 'gb28181', onClose }: { code: string; kind?: Kind; onClose: () => void }) {
  const [made, setMade] = useState<DeviceMade | null>(null)
  return (
    <Modal open title={t('device.add')} footer={null} onCancel={onClose} width={600} maskClosable={false} destroyOnHidden>
      {made?.registration ? <MadeNote made={made} registration={made.registration} onClose={onClose} /> : <AddForm code={code} first={kind} onMade={(device) => (device.registration ? setMade(device) : onClose())} />}
    </Modal>
  )
}

export function AddForm({ code, first = 'gb28181', onMade }: { code: string; first?: Kind; onMade: (made: DeviceMade) => void }) {
  const queries = useQueryClient()
  const [kind, setKind] = useState<Kind>(first)
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [tested, setTested] = useState<DeviceTested | 'running' | null>(null)
  const [anyway, setAnyway] = useState(false)
  const mayWrite = kind !== 'rtsp' || anyway || (tested !== null && tested !== 'running' && tested.ok)

  const test = async () => {
    const filled = await form.validateFields(['url', 'username', 'password'])
    setTested('running')
    setProblem(null)
    try {
      setTested(await api.post('devices/test', { body: { kind: 'rtsp', url: filled.url ?? '', username: filled.username ?? '', password: filled.password ?? '' } }))
    } catch (error) {
      setTested(null)
      setProblem(error)
    }
  }
  const save = async (filled: Filled) => {
    setBusy(true)
    setProblem(null)
    const given = Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== undefined && value !== '')) as Filled
    try {
      const device = await api.post('devices', { body: { kind, ...given }, once: true })
      await queries.invalidateQueries({ queryKey: ['devices'] })
      void queries.invalidateQueries({ queryKey: ['tree'] })
      onMade(device)
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Form form={form} className="form" layout="vertical" requiredMark={false} initialValues={{ code, transport: TRANSPORT[kind] }} onFinish={(filled: Filled) => void save(filled)} onValuesChange={(change: Partial<Filled>) => ('url' in change || 'username' in change || 'password' in change) && setTested(null)}>
      <Segmented<Kind>
        value={kind} style={{ marginBottom: 8, maxWidth: '100%', overflowX: 'auto' }}
        onChange={(value) => {
          setKind(value)
          form.setFieldValue('transport', TRANSPORT[value])
        }}
        options={[{ value: 'gb28181', label: t('device.kind.gb28181') }, { value: 'rtsp', label: t('device.kind.rtsp') }, { value: 'gat1400', label: t('device.kind.gat1400') }, { value: 'jt808', label: t('device.kind.jt808') }, { value: 'http', label: t('device.kind.http') }, { value: 'ais', label: t('device.kind.ais') }]}
      />
      <p className="quiet">{t(EXPLAIN[kind])}</p>
      <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={120} autoFocus /></Form.Item>
      {kind === 'jt808' ? (
        <Form.Item name="code" label={t('device.phone')} rules={[{ required: true, pattern: /^\d{5,20}$/, message: t('device.phoneBad') }]} validateTrigger="onBlur">
          <Input maxLength={20} inputMode="numeric" className="mono" />
        </Form.Item>
      ) : kind === 'ais' ? (
        <Form.Item name="code" label={t('device.mmsi')} rules={[{ required: true, pattern: /^\d{9}$/, message: t('device.mmsiBad') }]} validateTrigger="onBlur">
          <Input maxLength={9} inputMode="numeric" className="mono" />
        </Form.Item>
      ) : kind === 'http' ? (
        <Form.Item name="code" label={t('device.beacon')} rules={[{ required: true, pattern: /^[\w.-]{1,40}$/, message: t('device.beaconBad') }]} validateTrigger="onBlur">
          <Input maxLength={40} className="mono" />
        </Form.Item>
      ) : kind !== 'rtsp' ? (
        <>
          <Form.Item name="code" label={t('device.code')} extra={t('device.codeHint')} rules={[{ pattern: /^\d{20}$/, message: t('device.codeBad') }, { required: true, message: t('device.codeBad') }]} validateTrigger="onBlur">
            <Input maxLength={20} inputMode="numeric" className="mono" />
          </Form.Item>
          <Form.Item name="password" label={t('device.password')} extra={t('device.passwordMade')}><Input.Password autoComplete="new-password" maxLength={64} /></Form.Item>
          {kind === 'gat1400' ? <Form.Item name="username" label={t('device.username')}><Input maxLength={64} autoComplete="off" /></Form.Item> : (
            <Form.Item name="transport" label={t('device.transport')}>
              <Select options={['udp', 'tcp_passive', 'tcp_active'].map((value) => ({ value, label: value.replace('_', ' ').toUpperCase() }))} />
            </Form.Item>
          )}
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

function TestNote({ tested, onTest, anyway, onAnyway }: { tested: DeviceTested | 'running' | null; onTest: () => void; anyway: boolean; onAnyway: (on: boolean) => void }) {
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

function MadeNote({ made, registration, onClose }: { made: DeviceMade; registration: Registration; onClose: () => void }) {
  return (
    <div className="column">
      <h2>{t('device.credentials')}</h2>
      <div className="panel"><Credentials registration={registration} named={plainNames(made.kind)} /></div>
      {registration.password !== '' && <p className="p3">▲ {t('device.credentialsOnce')}</p>}
      <div className="row">
        <Waiting device={made.id} />
        <span className="grow" />
        <Button type="primary" onClick={onClose}>{t('verb.close')}</Button>
      </div>
    </div>
  )
}

/** Whether the device has come by now, and if it was turned away why. */
export function Waiting({ device }: { device: string }) {
  const { data } = useQuery({ queryKey: ['devices', device], queryFn: () => api.get('devices/{device}', { path: { device } }), refetchInterval: 3000 })
  const came = data?.state === 'online'
  const refused = data?.state === 'refused'
  return (
    <div className="row" role="status">
      <StateMark state={data?.state ?? 'never'} />
      <span className={refused ? 'p2' : 'quiet'}>{refused ? data.sentence : t(came ? 'device.came' : 'device.waiting')}</span>
    </div>
  )
}
