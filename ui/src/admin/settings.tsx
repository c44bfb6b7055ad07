import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, InputNumber, Select } from 'antd'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { api, type Body } from '../api/client'
import { useMay, useMe, useSpoken } from '../api/session'
import type { Platform } from '../api/types'
import { Digests } from '../devices/digests'
import { look } from '../look/theme'
import { ProblemNote, sentence } from '../parts/problem'
import { useFilled } from '../parts/revised'
import { useStore } from '../parts/store'
import { language, t, useLanguage } from '../words'
import { unitsOf } from '../traffic/money'
import { DaysCard } from './days'
import { Sessions } from './users'

export function SettingsPage() {
  useLanguage()
  const maySee = useMay('settings.see')
  return (
    <div className="page">
      <div className="page-head"><h1>{t('page.settings')}</h1></div>
      <div className="page-body scroll">
        <div className="cards">
          {maySee && <PlatformCard />}
          {maySee && <DaysCard />}
          <MineCard />
          <SignatureCard />
          {maySee && <FirstRunCard />}
        </div>
      </div>
    </div>
  )
}

const FIELDS = ['name', 'code', 'domain', 'public_host', 'zone', 'clock_source', 'ntp_server', 'retention_days', 'floor_days', 'alarm_days', 'audit_days', 'digests', 'currency', 'hour_worth'] as const
const CURRENCY = /^[A-Z]{3}$/
type Filled = Pick<Platform, (typeof FIELDS)[number]>

export function zones(): string[] {
  return typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : ['Asia/Shanghai', 'UTC']
}

/** Whoever hands out a package tells this beside it. */
function SignatureCard() {
  const { data } = useQuery({ queryKey: ['package-key'], queryFn: ({ signal }) => api.get('package-key', { signal }), staleTime: Infinity })
  if (!data) return null
  return (
    <section className="panel column">
      <h2>{t('settings.signature')}</h2>
      <dl className="facts">
        <dt>{t('settings.fingerprint')}</dt><dd className="mono">{data.fingerprint}</dd>
        <dt>{t('settings.publicKey')}</dt><dd className="mono">{data.public_key}</dd>
      </dl>
      <p className="quiet" style={{ margin: 0 }}>{t('settings.signatureHint')}</p>
    </section>
  )
}

function PlatformCard() {
  const { data } = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.get('settings', { signal }) })
  return data ? <PlatformForm data={data} /> : null
}

function PlatformForm({ data }: { data: Platform }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const may = useMay('settings.change')
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set())
  const base = useFilled(data, touched.size > 0, () => api.get('settings'))
  const clock = Form.useWatch('clock_source', form)
  const currency = Form.useWatch('currency', form)
  const units = unitsOf(CURRENCY.test(currency ?? '') ? currency! : data.currency)
  useEffect(() => {
    if (touched.size === 0) form.setFieldsValue(data)
  }, [data, form, touched])
  const save = async (filled: Filled) => {
    try {
      const change = Object.fromEntries(FIELDS.filter((key) => touched.has(key)).map((key) => [key, filled[key]])) as Body<'patch', 'settings'>
      await api.patch('settings', { body: change, revision: base.revision() })
      setTouched(new Set())
      setProblem(null)
      void message.success(t('device.saved'))
      await queries.invalidateQueries({ queryKey: ['settings'] })
    } catch (error) {
      setProblem(error)
      await base.failed(error)
    }
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} className="panel form" disabled={!may} onFinish={(filled: Filled) => void save(filled)} onValuesChange={(change: Partial<Filled>) => setTouched(new Set([...touched, ...Object.keys(change)]))}>
      <h2 style={{ marginBottom: 8 }}>{t('settings.platform')}</h2>
      <Form.Item name="name" label={t('settings.name')}><Input maxLength={100} /></Form.Item>
      <Form.Item name="code" label={t('settings.code')} rules={[{ pattern: /^\d{20}$/, message: t('device.codeBad') }]}><Input className="mono" maxLength={20} /></Form.Item>
      <Form.Item name="domain" label={t('settings.domain')}><Input className="mono" maxLength={20} /></Form.Item>
      {data.remarks.map((remark) => <p key={remark.code} className="p3">▲ {remark.sentence}</p>)}
      <Form.Item name="public_host" label={t('settings.host')}><Input className="mono" maxLength={253} /></Form.Item>
      <Form.Item name="zone" label={t('settings.zone')}><Select showSearch options={zones().map((value) => ({ value, label: value }))} /></Form.Item>
      <Form.Item name="clock_source" label={t('settings.clock')}><Select options={(['system', 'ntp', 'manual'] as const).map((value) => ({ value, label: t(`settings.clock.${value}`) }))} /></Form.Item>
      <Form.Item name="ntp_server" label={t('settings.ntp')} hidden={clock !== 'ntp'}><Input maxLength={253} /></Form.Item>
      <div className="row" style={{ gap: 24 }}>
        <Form.Item name="retention_days" label={t('settings.retention')}><InputNumber min={0} max={3650} addonAfter={t('channel.days')} /></Form.Item>
        <Form.Item name="floor_days" label={t('settings.floor')}><InputNumber min={0} max={3650} addonAfter={t('channel.days')} /></Form.Item>
      </div>
      <div className="row" style={{ gap: 24 }}>
        <Form.Item name="alarm_days" label={t('settings.alarmDays')}><InputNumber min={0} max={3650} addonAfter={t('channel.days')} /></Form.Item>
        <Form.Item name="audit_days" label={t('settings.auditDays')} rules={[{ validator: (_, days: number) => (days === 0 || days >= 180 ? Promise.resolve() : Promise.reject(new Error(t('settings.auditShort')))) }]}><InputNumber min={0} max={3650} addonAfter={t('channel.days')} /></Form.Item>
      </div>
      <Form.Item
        name="digests" label={t('device.digests')} extra={t('device.digestsHint')}
        rules={[{ validator: (_, chosen: string[]) => (chosen.length > 0 ? Promise.resolve() : Promise.reject(new Error(t('digest.none')))) }]}
      >
        <Digests label={t('device.digests')} disabled={!may} />
      </Form.Item>
      <div className="row" style={{ gap: 24 }}>
        <Form.Item name="currency" label={t('settings.currency')} rules={[{ pattern: CURRENCY, message: t('settings.currencyBad') }]}><Input maxLength={3} style={{ width: 90 }} /></Form.Item>
        <Form.Item name="hour_worth" label={t('settings.hourWorth')} getValueProps={(minor: number) => ({ value: minor / units })} normalize={(whole: number | null) => Math.round((whole ?? 0) * units)}><InputNumber min={1 / units} max={1_000_000} /></Form.Item>
      </div>
      <p className="quiet">{t('settings.ports')}: SIP {data.sip_port}, WebSocket {data.media_port}</p>
      <ProblemNote error={problem} />
      <Button type="primary" htmlType="submit" disabled={touched.size === 0}>{t('verb.save')}</Button>
    </Form>
  )
}

/** What one does once: the way through the first run, and the end of the simulated city. */
function FirstRunCard() {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { message, modal } = App.useApp()
  const may = useMay('settings.change')
  const { data } = useQuery({ queryKey: ['settings'], queryFn: ({ signal }) => api.get('settings', { signal }) })
  const removeDemo = () => {
    modal.confirm({
      title: t('settings.demoAsk'), okText: t('settings.demoRemove'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => api.post('demo/remove').then((answer) => {
        void message.success(t('settings.demoGone', { n: answer.removed }))
        void queries.invalidateQueries()
      }).catch((error: unknown) => void message.error(sentence(error))),
    })
  }
  if (!may) return null
  return (
    <div className="panel column">
      <h2>{t('page.wizard')}</h2>
      <p className="quiet">{t('settings.wizardExplain')}</p>
      <div><Button onClick={() => void navigate('/wizard')}>{t('settings.wizard')}</Button></div>
      {data?.demo && (
        <>
          <h2 style={{ marginTop: 12 }}>{t('wizard.step.demo')}</h2>
          <p className="quiet">{t('wizard.demo')}</p>
          <div><Button danger onClick={removeDemo}>{t('settings.demoRemove')}</Button></div>
        </>
      )}
    </div>
  )
}

interface OwnPassword {
  password: string
  old_password: string
}

function MineCard() {
  const me = useMe()
  const speak = useSpoken()
  const { message } = App.useApp()
  const { name } = useStore(look)
  const [problem, setProblem] = useState<unknown>(null)
  const [form] = Form.useForm<OwnPassword>()
  if (!me.data) return null
  const user = me.data.user
  const change = async ({ password, old_password }: OwnPassword) => {
    try {
      await api.patch('users/{user}', { path: { user: user.id }, body: { password, old_password } })
      form.resetFields()
      setProblem(null)
      void message.success(t('device.saved'))
    } catch (error) {
      setProblem(error)
    }
  }
  return (
    <div className="panel column">
      <h2>{t('settings.mine')}: {user.username}</h2>
      <Form layout="vertical">
        <Form.Item label={t('language.label')}>
          <Select
            value={language()} options={[{ value: 'zh-CN', label: t('language.zh') }, { value: 'en', label: t('language.en') }]} aria-label={t('language.label')}
            onChange={(tag) => {
              speak(tag)
              void api.patch('users/{user}', { path: { user: user.id }, body: { language: tag } }).catch(() => undefined)
            }}
          />
        </Form.Item>
        <Form.Item label={t('look.label')}>
          <Select value={name} aria-label={t('look.label')} options={[{ value: 'dark', label: t('look.dark') }, { value: 'light', label: t('look.light') }]} onChange={(value) => look.set({ name: value })} />
        </Form.Item>
      </Form>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(filled: OwnPassword) => void change(filled)}>
        <Form.Item name="old_password" label={t('user.oldPassword')} rules={[{ required: true, message: t('user.oldPassword') }]}><Input.Password autoComplete="current-password" /></Form.Item>
        <Form.Item name="password" label={t('user.password')} rules={[{ required: true, min: 12, message: t('setup.short') }]}><Input.Password autoComplete="new-password" /></Form.Item>
        <p className="quiet">{t('user.passwordEnds')}</p>
        <ProblemNote error={problem} />
        <Button htmlType="submit">{t('verb.save')}</Button>
      </Form>
      <Sessions user={user} />
    </div>
  )
}
