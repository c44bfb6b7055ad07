import { App, Form, Input, Modal, Radio } from 'antd'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../api/client'
import type { ExportJob } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { iso, span, stamp, zoneName } from '../parts/times'
import { t } from '../words'

interface RangeDialogProps {
  channels: { id: string; name: string }[]
  start: number
  end: number
  onClose: () => void
  product?: ExportJob['product']
  reason?: string
}

/** Export the marked range of each channel, as evidence or as a copy to look at. */
export function ExportDialog({ channels, start, end, onClose, product = 'evidence', reason = '' }: RangeDialogProps) {
  const { message } = App.useApp()
  const queries = useQueryClient()
  const [form] = Form.useForm<{ product: ExportJob['product']; reason: string }>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const send = async () => {
    const filled = await form.validateFields()
    setBusy(true)
    try {
      for (const channel of channels) await api.post('exports', { body: { ...filled, channel: channel.id, start: iso(start), end: iso(end) }, once: true })
      await queries.invalidateQueries({ queryKey: ['exports'] })
      void message.success(t('export.started'))
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Modal open title={t('export.title')} okText={t('export.start')} cancelText={t('verb.cancel')} onCancel={onClose} onOk={() => void send()} confirmLoading={busy}>
      <RangeFacts channels={channels} start={start} end={end} />
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ product, reason }} style={{ marginTop: 12 }}>
        <Form.Item name="product" label={t('export.product')}>
          <Radio.Group options={[{ value: 'evidence', label: t('export.evidence') }, { value: 'viewing', label: t('export.viewing') }]} style={{ display: 'grid', gap: 6 }} />
        </Form.Item>
        <Form.Item name="reason" label={t('export.reason')} rules={[{ required: true, whitespace: true, message: t('export.reasonNeeded') }]}>
          <Input maxLength={200} autoFocus />
        </Form.Item>
      </Form>
      <ProblemNote error={problem} />
    </Modal>
  )
}

/** Keep the marked range whatever retention says. */
export function HoldDialog({ channels, start, end, onClose }: RangeDialogProps) {
  const { message } = App.useApp()
  const queries = useQueryClient()
  const [form] = Form.useForm<{ reason: string }>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const send = async () => {
    const filled = await form.validateFields()
    setBusy(true)
    try {
      for (const channel of channels) await api.post('holds', { body: { ...filled, channel: channel.id, start: iso(start), end: iso(end) }, once: true })
      await queries.invalidateQueries({ queryKey: ['holds'] })
      await queries.invalidateQueries({ queryKey: ['timeline'] })
      void message.success(t('hold.placed'))
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Modal open title={t('hold.title')} okText={t('hold.place')} cancelText={t('verb.cancel')} onCancel={onClose} onOk={() => void send()} confirmLoading={busy}>
      <p className="quiet">{t('hold.explain')}</p>
      <RangeFacts channels={channels} start={start} end={end} />
      <Form form={form} layout="vertical" requiredMark={false} style={{ marginTop: 12 }}>
        <Form.Item name="reason" label={t('export.reason')} rules={[{ required: true, whitespace: true, message: t('export.reasonNeeded') }]}>
          <Input maxLength={200} autoFocus />
        </Form.Item>
      </Form>
      <ProblemNote error={problem} />
    </Modal>
  )
}

export function RangeFacts({ channels, start, end }: Pick<RangeDialogProps, 'channels' | 'start' | 'end'>) {
  return (
    <dl className="facts">
      <dt>{t('word.channel')}</dt>
      <dd>{channels.map((channel) => channel.name).join(', ')}</dd>
      <dt>{t('export.from')}</dt>
      <dd title={zoneName()}>{stamp(start)}</dd>
      <dt>{t('export.to')}</dt>
      <dd title={zoneName()}>{stamp(end)}</dd>
      <dt>{t('export.length')}</dt>
      <dd>{span((end - start) / 1e6)}</dd>
    </dl>
  )
}
