import { ReloadOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Alert, Button, Form, Input, InputNumber, Select } from 'antd'
import { useEffect, useState } from 'react'
import { api, type Body, type Query } from '../api/client'
import { Tool } from '../live/tools'
import { ProblemNote } from '../parts/problem'
import { differing } from '../parts/revised'
import { type Key, t, useLanguage } from '../words'
import { leaves, type Plain, put, shownValue } from './leaves'

type Kind = NonNullable<Query<'devices/{device}/configuration'>['types']>[number]
type Wish = Body<'patch', 'devices/{device}/configuration'>
type Part = keyof NonNullable<Wish['parts']>

/** Whose configuration: a device's own, or that of one of its channels. */
export type Whose = { device: string } | { channel: string }

/** What devices of every edition know, and what came with that of 2022. */
const OLD: Kind[] = ['VideoParamOpt', 'SVACEncodeConfig', 'SVACDecodeConfig']
const NEW: Kind[] = [
  'VideoParamOpt', 'VideoParamAttribute', 'OSDConfig', 'FrameMirror', 'PictureMask', 'VideoRecordPlan', 'VideoAlarmRecord', 'AlarmReport',
  'SnapShotConfig', 'SVACEncodeConfig', 'SVACDecodeConfig',
]
const WRITABLE = new Set<Kind>([
  'VideoParamAttribute', 'VideoRecordPlan', 'VideoAlarmRecord', 'PictureMask', 'FrameMirror', 'AlarmReport', 'OSDConfig', 'SVACEncodeConfig',
  'SVACDecodeConfig',
])
const MIRRORS = ['0', '1', '2', '3'] as const

function ask(whose: Whose, kind: Kind, signal?: AbortSignal) {
  const query = { types: [kind] }
  const rest = signal ? { query, signal } : { query }
  return 'device' in whose
    ? api.get('devices/{device}/configuration', { path: { device: whose.device }, ...rest })
    : api.get('channels/{channel}/configuration', { path: { channel: whose.channel }, ...rest })
}

function write(whose: Whose, body: Wish) {
  return 'device' in whose
    ? api.patch('devices/{device}/configuration', { path: { device: whose.device }, body })
    : api.patch('channels/{channel}/configuration', { path: { channel: whose.channel }, body })
}

let last: Promise<unknown> = Promise.resolve()

/** One question after the other: devices answer few at a time, and the platform asks no more of them at once. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work)
  last = mine
  return mine
}

/** One type of configuration, asked of the device; null where the device answers, but has no such thing. */
function useKind(whose: Whose, kind: Kind) {
  return useQuery({
    queryKey: ['configuration', whose, kind],
    queryFn: ({ signal }) => inTurn(async () => ((await ask(whose, kind, signal)).parts[kind] ?? null) as Plain),
    staleTime: Number.POSITIVE_INFINITY, gcTime: 0, retry: false, refetchOnWindowFocus: false,
  })
}

/** What the device says of itself, and what can be changed of it. It is asked when this is opened, and not again by itself. */
export function Configuration({ whose, edition }: { whose: Whose; edition: string }) {
  useLanguage()
  const [more, setMore] = useState(false)
  const kinds = edition >= '3' ? NEW : OLD
  return (
    <div className="cards config-cards">
      <BasicCard whose={whose} />
      {more ? kinds.map((kind) => <PartCard key={kind} whose={whose} kind={kind} />) : (
        <div className="panel column">
          <h2>{t('config.more')}</h2>
          <p className="quiet">{t('config.moreExplain')}</p>
          <div><Button onClick={() => setMore(true)}>{t('config.ask')}</Button></div>
        </div>
      )}
    </div>
  )
}

interface BasicFilled {
  name: string | null
  expiration: number | null
  heartbeat_seconds: number | null
  heartbeat_count: number | null
}

/** The names of the API and those of the standard. */
const ELEMENTS = { name: 'Name', expiration: 'Expiration', heartbeat_seconds: 'HeartBeatInterval', heartbeat_count: 'HeartBeatCount' } as const
const TOLD: [string, Key][] = [
  ['DeviceID', 'device.cred.code'], ['SIPServerID', 'device.cred.server'], ['DomainName', 'device.cred.domain'], ['SIPServerIP', 'device.cred.host'],
  ['SIPServerPort', 'device.cred.port'],
]

function basicOf(told: Plain): BasicFilled {
  const fields = typeof told === 'object' && told !== null && !Array.isArray(told) ? told : {}
  const number = (value: Plain | undefined) => (value === undefined || value === null || value === '' ? null : Number(value))
  return {
    name: typeof fields['Name'] === 'string' ? fields['Name'] : null,
    expiration: number(fields['Expiration']), heartbeat_seconds: number(fields['HeartBeatInterval']), heartbeat_count: number(fields['HeartBeatCount']),
  }
}

function BasicCard({ whose }: { whose: Whose }) {
  const asked = useKind(whose, 'BasicParam')
  return (
    <Frame title={t('config.BasicParam')} asked={asked}>
      {asked.data !== null && asked.data !== undefined && <BasicForm whose={whose} told={asked.data} />}
    </Frame>
  )
}

function BasicForm({ whose, told }: { whose: Whose; told: Plain }) {
  const [form] = Form.useForm<BasicFilled>()
  const [touched, setTouched] = useState(false)
  const { save, problem, unheard, busy } = useSave(whose, 'BasicParam')
  useEffect(() => {
    if (!touched) form.setFieldsValue(basicOf(told))
  }, [form, told, touched])
  const send = async (filled: BasicFilled) => {
    const change = differing(basicOf(told), filled)
    const wanted = Object.entries(change).map(([name, value]) => [[ELEMENTS[name as keyof BasicFilled]], value] as [string[], Plain])
    if (await save({ basic: change }, wanted)) setTouched(false)
  }
  const facts = TOLD.filter(([name]) => typeof told === 'object' && told !== null && name in told)
  const number = (name: keyof BasicFilled, words: Key, min: number, max: number, unit?: Key) => (
    <Form.Item name={name} label={t(words)}>
      <InputNumber min={min} max={max} precision={0} {...(unit ? { addonAfter: t(unit) } : {})} style={{ width: 180 }} />
    </Form.Item>
  )
  return (
    <Form form={form} layout="vertical" requiredMark={false} onValuesChange={() => setTouched(true)} onFinish={(filled: BasicFilled) => void send(filled)}>
      {facts.length > 0 && (
        <dl className="facts" style={{ marginBottom: 8 }}>
          {facts.map(([name, words]) => (
            <div key={name} style={{ display: 'contents' }}><dt>{t(words)}</dt><dd className="mono">{shownValue((told as Record<string, Plain>)[name])}</dd></div>
          ))}
        </dl>
      )}
      <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={64} /></Form.Item>
      {number('expiration', 'config.expiration', 3600, 604_800, 'channel.seconds')}
      {number('heartbeat_seconds', 'config.heartbeat', 5, 3600, 'channel.seconds')}
      {number('heartbeat_count', 'config.heartbeatCount', 1, 60)}
      <After problem={problem} unheard={unheard} />
      <Button type="primary" htmlType="submit" disabled={!touched} loading={busy}>{t('config.write')}</Button>
    </Form>
  )
}

function PartCard({ whose, kind }: { whose: Whose; kind: Kind }) {
  const asked = useKind(whose, kind)
  return (
    <Frame title={t(`config.${kind}` as Key)} asked={asked} element={kind}>
      {asked.data !== null && asked.data !== undefined && <PartForm whose={whose} kind={kind} told={asked.data} />}
    </Frame>
  )
}

/** What only the device understands: its own element names, and a field for each value. */
function PartForm({ whose, kind, told }: { whose: Whose; kind: Kind; told: Plain }) {
  const [changed, setChanged] = useState<Record<string, string>>({})
  const { save, problem, unheard, busy } = useSave(whose, kind)
  const rows = leaves(told)
  const may = WRITABLE.has(kind)
  const send = async () => {
    const wanted = rows.filter((row) => changed[row.path.join('/')] !== undefined).map((row) => [row.path, changed[row.path.join('/')]!] as [string[], Plain])
    const whole = wanted.reduce((part, [path, value]) => put(part, path, value), told)
    if (await save({ parts: { [kind as Part]: whole } }, wanted)) setChanged({})
  }
  return (
    <>
      <div className="config-values">
        {rows.map(({ path, value }) => {
          const name = path.join('/')
          const words = path.join(' › ') || kind
          const shown = changed[name] ?? shownValue(value)
          if (!may) return <div key={name} className="field"><span className="mono">{words}</span><span style={{ color: 'var(--text)' }}>{shown || '–'}</span></div>
          const set = (next: string) => setChanged((now) => ({ ...now, [name]: next }))
          return (
            <label key={name} className="field">
              <span className="mono">{words}</span>
              {kind === 'FrameMirror' ? (
                <Select aria-label={words} value={shown} onChange={set} options={MIRRORS.map((each) => ({ value: each, label: t(`config.mirror.${each}`) }))} />
              ) : <Input aria-label={words} value={shown} maxLength={1024} onChange={(event) => set(event.target.value)} />}
            </label>
          )
        })}
        {rows.length === 0 && <p className="quiet">{t('config.blank')}</p>}
      </div>
      <After problem={problem} unheard={unheard} />
      {may && rows.length > 0 && <div><Button type="primary" disabled={Object.keys(changed).length === 0} loading={busy} onClick={() => void send()}>{t('config.write')}</Button></div>}
    </>
  )
}

/** Write, and ask again: a device that says OK has not always done it. `unheard` names what it still answers as before. */
function useSave(whose: Whose, kind: Kind) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [problem, setProblem] = useState<unknown>(null)
  const [unheard, setUnheard] = useState<string[]>([])
  const [busy, setBusy] = useState(false)
  const save = async (body: Wish, wanted: [string[], Plain][]): Promise<boolean> => {
    setBusy(true)
    setProblem(null)
    setUnheard([])
    try {
      await write(whose, body)
      const now = ((await ask(whose, kind)).parts[kind] ?? null) as Plain
      queries.setQueryData(['configuration', whose, kind], now)
      const told = new Map(leaves(now).map((row) => [row.path.join('/'), shownValue(row.value)]))
      const missed = wanted.filter(([path, value]) => told.get(path.join('/')) !== shownValue(value)).map(([path]) => path.join(' › ') || kind)
      setUnheard(missed)
      if (missed.length === 0) void message.success(t('config.written'))
      return true
    } catch (error) {
      setProblem(error)
      return false
    } finally {
      setBusy(false)
    }
  }
  return { save, problem, unheard, busy }
}

function After({ problem, unheard }: { problem: unknown; unheard: string[] }) {
  return (
    <>
      <ProblemNote error={problem} />
      {unheard.length > 0 && <Alert type="warning" showIcon message={t('config.unheard', { names: unheard.join(', ') })} />}
    </>
  )
}

interface Asked {
  data: Plain | undefined
  error: unknown
  isFetching: boolean
  refetch: () => unknown
}

function Frame({ title, asked, element, children }: { title: string; asked: Asked; element?: string; children: React.ReactNode }) {
  return (
    <section className={`panel column ${asked.data === null ? 'lacks' : ''}`} aria-label={title}>
      <div className="row">
        <div>
          <h2>{title}</h2>
          {element && <code className="quiet">{element}</code>}
        </div>
        <span className="grow" />
        <Tool words={t('config.again')} disabled={asked.isFetching} onClick={() => void asked.refetch()}><ReloadOutlined /></Tool>
      </div>
      {asked.isFetching && asked.data === undefined && <p className="quiet" role="status">{t('config.asking')}</p>}
      {!asked.isFetching && asked.error !== null && <ProblemNote error={asked.error} />}
      {asked.data === null && !asked.isFetching && <p className="quiet">{t('config.lacks')}</p>}
      {children}
    </section>
  )
}
