// What leaves the platform leaves with a reason: the audit record keeps it.

import { Form, Input, Modal } from 'antd'
import { useState } from 'react'
import { t } from '../words'
import { ProblemNote } from './problem'

export interface WhyProps {
  title: string
  hint?: string
  /** What the button says. */
  verb: string
  send: (reason: string) => Promise<unknown>
  onClose: () => void
}

/** Asks why, does it, and stays with what went wrong. */
export function Why({ title, hint, verb, send, onClose }: WhyProps) {
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [form] = Form.useForm<{ reason: string }>()
  const go = async ({ reason }: { reason: string }) => {
    setBusy(true)
    try {
      await send(reason.trim())
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Modal open title={title} okText={verb} cancelText={t('verb.cancel')} confirmLoading={busy} onCancel={onClose} onOk={form.submit} destroyOnHidden>
      {hint && <p className="quiet">{hint}</p>}
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(filled) => void go(filled)}>
        <Form.Item name="reason" label={t('export.reason')} rules={[{ required: true, whitespace: true, message: t('export.reasonNeeded') }]}>
          <Input maxLength={200} autoFocus />
        </Form.Item>
      </Form>
      <ProblemNote error={problem} />
    </Modal>
  )
}
