import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Form, Input, Select, Switch } from 'antd'
import { useEffect, useState } from 'react'
import { api, type Body, Problem } from '../api/client'
import { useMay } from '../api/session'
import type { LowerLibrary, LowerOrder, ToldGate } from '../api/types'
import { Age } from '../parts/age'
import { ProblemNote, sentence } from '../parts/problem'
import { type Key, t, useLanguage } from '../words'

const EXAMPLE = 'http://10.1.2.3:8100'
const PATH = 'libraries/{library}'
const DETAILS = [13, 7, 9, 3, 4] as const
type Detail = (typeof DETAILS)[number]

/** A view library that lies below us: where it is, what is subscribed to there, and whether watches go down to it. */
export function Library({ id, area }: { id: string; area: string | null }) {
  useLanguage()
  const mayDecide = useMay('subscription.decide')
  const asked = useQuery({ queryKey: ['devices', id, 'library'], queryFn: ({ signal }) => found(id, signal), refetchInterval: 10_000, retry: false })
  const library = asked.data ?? undefined
  if (asked.isPending || (!library && !mayDecide)) return null
  return (
    <div className="panel column library-panel" style={{ gap: 8 }}>
      <h2>{t('library.title')}</h2>
      {asked.error && <ProblemNote error={asked.error} retry={() => void asked.refetch()} />}
      {library && <Standing library={library} />}
      {mayDecide ? <Place id={id} library={library} /> : library && <span className="mono">{library.url}</span>}
      {library && <Orders id={id} library={library} mayDecide={mayDecide} />}
      {library && <Checkpoints id={id} area={area} />}
    </div>
  )
}

/** Nothing where nobody gave its address: an answer like any other, or what is being typed would go with each look. */
async function found(id: string, signal: AbortSignal): Promise<LowerLibrary | null> {
  try {
    return await api.get(PATH, { path: { library: id }, signal })
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return null
    throw error
  }
}

function Standing({ library }: { library: LowerLibrary }) {
  return (
    <div className="quiet">
      {library.leaving && <div>{t('library.leaving')}</div>}
      {library.last_error ? <div className="p2">▲ {library.last_error}</div> : library.heard_at && <div>{t('library.heard')} <Age at={library.heard_at} /></div>}
      {library.watches && <div>{t('library.watchesPlaced', { placed: library.watches_placed, wanted: library.watches_wanted })}</div>}
    </div>
  )
}

type Filled = Body<'put', typeof PATH>

function Place({ id, library }: { id: string; library: LowerLibrary | undefined }) {
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [touched, setTouched] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  useEffect(() => {
    if (!touched) form.setFieldsValue(library ? { url: library.url, username: library.username, form: library.form, watches: library.watches, password: '' } : { url: '', username: '', form: 'json', watches: true, password: '' })
  }, [library, form, touched])
  const reload = () => queries.invalidateQueries({ queryKey: ['devices', id, 'library'] })
  const save = async ({ password, ...rest }: Filled) => {
    try {
      await api.put(PATH, { path: { library: id }, body: { ...rest, ...(password ? { password } : {}) }, ...(library ? { revision: library.revision } : {}) })
      setTouched(false)
      setProblem(null)
      void message.success(t('library.saved'))
      await reload()
    } catch (error) {
      setProblem(error)
    }
  }
  const remove = () => {
    modal.confirm({
      title: t('library.remove', { url: library?.url ?? '' }), okText: t('verb.delete'), cancelText: t('verb.cancel'), okButtonProps: { danger: true },
      onOk: () => api.remove(PATH, { path: { library: id } }).then(reload, (error: unknown) => void message.error(sentence(error))),
    })
  }
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={(filled: Filled) => void save(filled)} onValuesChange={() => setTouched(true)}>
      <Form.Item name="url" label={t('library.url')} extra={t('library.urlHint')} rules={[{ required: true, pattern: /^https?:\/\/[^/@\s]+\/?$/, message: t('library.urlBad') }]}><Input className="mono" maxLength={500} placeholder={EXAMPLE} /></Form.Item>
      <Form.Item name="username" label={t('library.username')} extra={t('library.usernameHint')}><Input autoComplete="off" maxLength={128} /></Form.Item>
      <Form.Item name="password" label={t('library.password')} extra={library?.proves ? t('library.passwordKept') : undefined}><Input.Password autoComplete="new-password" maxLength={128} /></Form.Item>
      <Form.Item name="form" label={t('library.form')}><Select options={[{ value: 'json', label: 'JSON' }, { value: 'xml', label: 'XML' }]} /></Form.Item>
      <Form.Item name="watches" label={t('library.watches')} extra={t('library.watchesHint')} valuePropName="checked"><Switch /></Form.Item>
      <ProblemNote error={problem} />
      <span className="row">
        <Button type="primary" htmlType="submit" disabled={!touched}>{t('verb.save')}</Button>
        {library && !library.leaving && <Button danger type="text" onClick={remove}>{t('verb.delete')}</Button>}
      </span>
    </Form>
  )
}

function Orders({ id, library, mayDecide }: { id: string; library: LowerLibrary; mayDecide: boolean }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [details, setDetails] = useState<Detail[]>([13])
  const [reason, setReason] = useState('')
  const [busy, setBusy] = useState(false)
  const act = async (done: Promise<unknown>) => {
    setBusy(true)
    try {
      await done
      setReason('')
      await queries.invalidateQueries({ queryKey: ['devices', id, 'library'] })
    } catch (error) {
      void message.error(sentence(error))
    } finally {
      setBusy(false)
    }
  }
  const subscribe = () => act(api.post(`${PATH}/subscriptions`, { path: { library: id }, body: { details, reason } }))
  const withdraw = (one: LowerOrder) => act(api.post(`${PATH}/subscriptions/{order}/withdraw`, { path: { library: id, order: one.id }, body: { reason } }))
  return (
    <div className="column" style={{ gap: 8 }}>
      <h2>{t('library.subscriptions')}</h2>
      {library.subscriptions.length === 0 && <span className="quiet">{t('library.none')}</span>}
      {library.subscriptions.map((one) => (
        <div key={one.id} className="card-lines">
          <div>
            <b className="clip grow">{one.details.map((each) => t(`library.detail.${each}` as Key)).join(', ')}</b>
            <span className="quiet">{t(`library.state.${state(one)}` as Key)}</span>
            {mayDecide && one.state === 'active' && <Button size="small" type="text" disabled={busy} onClick={() => void withdraw(one)}>{t('library.withdraw')}</Button>}
          </div>
          <div className="quiet">
            <span className="clip grow mono" title={one.title}>{one.number}</span>
            <span>{t('library.received', { n: one.received })}{one.heard_at && <> · <Age at={one.heard_at} /></>}</span>
          </div>
          {one.last_error && <div className="p2">▲ {one.last_error}</div>}
        </div>
      ))}
      {mayDecide && !library.leaving && (
        <>
          <div className="row" style={{ flexWrap: 'wrap' }}>
            {DETAILS.map((value) => (
              <Checkbox key={value} checked={details.includes(value)} onChange={(event) => setDetails(event.target.checked ? [...details, value] : details.filter((each) => each !== value))}>
                {t(`library.detail.${value}` as Key)}
              </Checkbox>
            ))}
          </div>
          <Input value={reason} onChange={(event) => setReason(event.target.value)} maxLength={500} placeholder={t('library.reason')} aria-label={t('library.reason')} />
          <span><Button disabled={details.length === 0} loading={busy} onClick={() => void subscribe()}>{t('library.subscribe')}</Button></span>
        </>
      )}
    </div>
  )
}

/** Checkpoints that it told of: set up here, they have their passages; else those stand at the library. */
function Checkpoints({ id, area }: { id: string; area: string | null }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const mayAdd = useMay('tollgate.change')
  const told = useQuery({ queryKey: ['devices', id, 'library', 'checkpoints'], queryFn: ({ signal }) => api.get(`${PATH}/checkpoints`, { path: { library: id }, signal }), refetchInterval: 30_000, retry: false })
  const rows = told.data?.items ?? []
  if (rows.length === 0) return null
  const add = async ({ code, name, longitude, latitude, lanes }: ToldGate) => {
    try {
      await api.post('tollgates', { body: { code, name, area, longitude, latitude, lanes } })
      await queries.invalidateQueries({ queryKey: ['devices', id, 'library', 'checkpoints'] })
      void queries.invalidateQueries({ queryKey: ['tollgates'] })
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  return (
    <div className="column" style={{ gap: 8 }}>
      <h2>{t('library.checkpoints')}</h2>
      <span className="quiet">{t('library.checkpointsHint')}</span>
      {rows.map((one) => (
        <div key={one.code} className="row">
          <span className="clip grow" title={one.code}>{one.name}</span>
          <span className="quiet">{t('library.lanes', { n: one.lanes.length })}</span>
          {one.tollgate ? <span className="quiet">{t('library.added')}</span> : mayAdd && <Button size="small" onClick={() => void add(one)} aria-label={`${t('verb.add')} ${one.name}`}>{t('verb.add')}</Button>}
        </div>
      ))}
    </div>
  )
}

/** In one word how far it is: asked for, taken, or over. */
function state(one: LowerOrder): string {
  if (one.state !== 'active') return one.waiting ? 'ending' : one.state
  return one.placed_at ? 'placed' : 'asked'
}
