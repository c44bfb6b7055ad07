// "Add to case": from every list and every stretch of footage, the same dialog.

import { FolderAddOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select } from 'antd'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Purpose } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { type Key, t } from '../words'

/** `purpose`: of cases that are led for something else it cannot be put into any. */
export interface Adding {
  send: (path: string, words: string) => Promise<unknown>
  purpose?: Purpose | undefined
}

export function AddToCase({ send, purpose, onClose, children }: Adding & { onClose: () => void; children?: ReactNode }) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const open = useQuery({ queryKey: ['cases', 'open'], queryFn: ({ signal }) => api.get('cases', { query: { state: 'open', limit: 200 }, signal }) })
  const fitting = (open.data?.items ?? []).filter((each) => !purpose || each.purpose === purpose)
  const save = async ({ path, words }: { path: string; words?: string }) => {
    setBusy(true)
    try {
      await send(path, words ?? '')
      await queries.invalidateQueries({ queryKey: ['cases'] })
      void message.success(t('case.added'))
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  return (
    <Modal open title={t('case.add')} footer={null} onCancel={onClose} destroyOnHidden>
      <Form<{ path: string; words?: string }> layout="vertical" requiredMark={false} onFinish={(filled) => void save(filled)}>
        {children}
        <Form.Item name="path" label={t('case.choose')} rules={[{ required: true, message: t('case.choose') }]} extra={open.data && fitting.length === 0 ? (purpose ? t('case.noOpen', { purpose: t(`purpose.${purpose}` as Key) }) : t('case.noneOpen')) : undefined}>
          <Select showSearch optionFilterProp="label" loading={open.isPending} aria-label={t('case.choose')} options={fitting.map((each) => ({ value: each.id, label: `${each.number} · ${each.title} · ${t(`purpose.${each.purpose}` as Key)}` }))} />
        </Form.Item>
        <Form.Item name="words" label={t('case.words')}><Input.TextArea maxLength={1000} rows={2} /></Form.Item>
        <ProblemNote error={problem ?? open.error} />
        <Button type="primary" htmlType="submit" loading={busy}>{t('case.add')}</Button>
      </Form>
    </Modal>
  )
}

/** `n`: how many of what is shown were chosen; `list`: without any it is the list itself that goes in. Nothing for whoever
 *  writes no cases. */
export function CaseButton({ send, purpose, n, disabled = false, list = false }: Adding & { n?: number; disabled?: boolean; list?: boolean }) {
  const [open, setOpen] = useState(false)
  const may = useMay('case.write')
  if (!may) return null
  return (
    <span onClick={(event) => event.stopPropagation()}>
      <Button size="small" icon={<FolderAddOutlined />} disabled={disabled} onClick={() => setOpen(true)}>{n ? t('case.chosen', { n }) : t(list ? 'case.addList' : 'case.add')}</Button>
      {open && <AddToCase send={send} purpose={purpose} onClose={() => setOpen(false)} />}
    </span>
  )
}
