import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, AutoComplete, Button, Checkbox, Form, Input, Modal, Select } from 'antd'
import { useEffect, useState } from 'react'
import { PlaceSelect } from '../admin/choose'
import { api, type Body, Problem } from '../api/client'
import { ProblemNote, sentence } from '../parts/problem'
import { local } from '../parts/times'
import { colour, vehicleClasses } from '../tollgates/passage'
import { COLOURS, PURPOSES } from '../tollgates/passages'
import { moment } from '../tollgates/search'
import { type Key, t } from '../words'
import { SeatsField } from './seats'

type Sent = Body<'post', 'watches'>
type Filled = Omit<Sent, 'valid_from' | 'valid_until'> & { from?: string; until?: string }
const WEEK_US = 7 * 86_400e6

/** A proposal: reason, how long, whom it alarms, and what of all plates it fits. */
export function WatchForm({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [wide, setWide] = useState(false)
  const plate = Form.useWatch('plate', form) as string | undefined
  const near = Form.useWatch('near', form) as boolean | undefined
  const colours = COLOURS.map((value) => ({ value, label: colour(value) }))
  const save = async ({ from, until, ...filled }: Filled) => {
    setBusy(true)
    setProblem(null)
    try {
      const body: Sent = { ...filled, valid_from: moment(from) ?? null, valid_until: moment(until) ?? '', area: filled.area ?? null, plate_colour: filled.plate_colour ?? '', colour: filled.colour ?? '' }
      await api.post('watches', { body, once: true })
      void message.success(t('watch.proposed'))
      await queries.invalidateQueries({ queryKey: ['watches'] })
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  const [initial] = useState(() => ({ near: true, purpose: 'security' as const, priority: 1, until: local(Date.now() * 1000 + WEEK_US), seats: ['role:operator'], further: ['role:supervisor'] }))
  return (
    <Modal open title={t('watch.propose')} footer={null} onCancel={onClose} width={608} maskClosable={false} destroyOnHidden>
      <Form form={form} className="form" layout="vertical" requiredMark={false} initialValues={initial} onFinish={(filled: Filled) => void save(filled)}>
        <div className="row wrap" style={{ alignItems: 'flex-start' }}>
          <Form.Item name="plate" label={t('watch.plate')} extra={t('watch.plateHint')} rules={[{ required: true, whitespace: true, message: t('watch.plate') }]} style={{ flex: '1 1 260px' }}><Input maxLength={20} autoFocus className="mono" /></Form.Item>
          <Form.Item name="near" label=" " valuePropName="checked" style={{ flex: '1 1 260px' }}><Checkbox>{t('watch.near')}</Checkbox></Form.Item>
        </div>
        <Preview plate={plate?.trim() ?? ''} near={near ?? true} />
        <Form.Item name="reason" label={t('watch.reason')} rules={[{ required: true, whitespace: true, message: t('watch.reason') }]}><Input.TextArea maxLength={1000} rows={3} /></Form.Item>
        <div className="row wrap" style={{ alignItems: 'flex-start' }}>
          <Form.Item name="case_number" label={t('watch.case')} style={{ flex: 1, minWidth: 160 }}><Input maxLength={100} /></Form.Item>
          <Form.Item name="purpose" label={t('watch.purpose')} style={{ width: 150 }}><Select options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} /></Form.Item>
          <Form.Item name="priority" label={t('watch.priority')} style={{ width: 130 }}><Select options={[1, 2, 3, 4].map((value) => ({ value, label: t(`alarm.priority.${value}` as Key) }))} /></Form.Item>
        </div>
        <div className="row wrap" style={{ alignItems: 'flex-start' }}>
          <Form.Item name="from" label={t('watch.from')} extra={t('watch.now')}><input type="datetime-local" className="plain-input" aria-label={t('watch.from')} /></Form.Item>
          <Form.Item name="until" label={t('watch.until')} rules={[{ required: true, message: t('watch.until') }]}><input type="datetime-local" className="plain-input" aria-label={t('watch.until')} /></Form.Item>
          <Form.Item name="area" label={t('watch.area')} style={{ flex: 1, minWidth: 200 }}><PlaceSelect what="areas" /></Form.Item>
        </div>
        <Form.Item name="seats" label={t('watch.seats')} rules={[{ required: true, message: t('watch.seats') }]}><SeatsField label={t('watch.seats')} /></Form.Item>
        <Form.Item name="further" label={t('watch.further')} extra={t('watch.furtherHint')}><SeatsField label={t('watch.further')} /></Form.Item>
        <div className="row wrap" style={{ display: wide ? undefined : 'none' }}>
          <Form.Item name="plate_colour" label={t('watch.plateColour')} style={{ width: 150 }}><Select allowClear placeholder={t('search.any')} options={colours} /></Form.Item>
          <Form.Item name="colour" label={t('watch.colour')} style={{ width: 150 }}><Select allowClear placeholder={t('search.any')} options={colours} /></Form.Item>
          <Form.Item name="vehicle_class" label={t('watch.kind')} tooltip={t('search.kindHint')} style={{ width: 190 }}><AutoComplete allowClear placeholder={t('search.any')} popupMatchSelectWidth={220} options={vehicleClasses()}><Input maxLength={10} /></AutoComplete></Form.Item>
        </div>
        <ProblemNote error={problem} />
        <div className="row">
          <Button type="text" aria-expanded={wide} onClick={() => setWide(!wide)}>{t('watch.more')}</Button>
          <span className="grow" />
          <Button onClick={onClose}>{t('verb.cancel')}</Button>
          <Button type="primary" htmlType="submit" loading={busy}>{t('watch.propose')}</Button>
        </div>
      </Form>
    </Modal>
  )
}

/** How the server reads the pattern, and whether a plate would hit it: nothing is looked for. */
function Preview({ plate, near }: { plate: string; near: boolean }) {
  const [against, setAgainst] = useState('')
  const asked = useLater({ plate, near, against })
  const found = useQuery({
    queryKey: ['watch preview', asked],
    queryFn: ({ signal }) => api.get('watches/preview', { query: asked, signal }),
    enabled: asked.plate !== '', retry: false, placeholderData: (before) => before, staleTime: Infinity,
  })
  if (!plate) return null
  const read = found.error ? undefined : found.data
  return (
    <div className="watch-preview" aria-live="polite">
      {found.error instanceof Problem ? <span className="p2">▲ {sentence(found.error)}</span> : read && (
        <>
          <div className="row wrap">
            <span>{t(read.exact ? 'watch.exactly' : 'watch.fitting')}</span>
            <div className="signs" title={t('watch.mistaken')}>
              {[...read.plate].map((sign, at) => <span key={at} className="sign mono">{sign}<small>{read.confusable[at]?.join(' ') || ' '}</small></span>)}
            </div>
          </div>
          <div className="row">
            <label className="row"><span className="quiet nowrap">{t('watch.try')}</span><input className="plain-input mono" style={{ width: 120 }} maxLength={20} value={against} onChange={(event) => setAgainst(event.target.value)} /></label>
            {read.outcome && <b>{read.outcome === 'near' ? '≈ ' : read.outcome === 'exact' ? '= ' : '≠ '}{t(`watch.try.${read.outcome}`)}</b>}
          </div>
        </>
      )}
    </div>
  )
}

/** A value once nobody has changed it for a moment: not each letter is asked about. */
function useLater<T>(value: T): T {
  const text = JSON.stringify(value)
  const [later, setLater] = useState(text)
  useEffect(() => {
    const timer = window.setTimeout(() => setLater(text), 250)
    return () => window.clearTimeout(timer)
  }, [text])
  return JSON.parse(later) as T
}
