import { useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { PlaceSelect } from '../admin/choose'
import { api, type Body } from '../api/client'
import type { Case } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { PURPOSES } from '../tollgates/passages'
import { SeatsField } from '../watches/seats'
import { type Key, t } from '../words'

type Filled = Body<'post', 'cases'>

/** A new case, or the title, ground and members of one. */
export function CaseForm({ one, onClose }: { one?: Case; onClose: () => void }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const save = async (filled: Filled) => {
    setBusy(true)
    setProblem(null)
    try {
      if (one) {
        const { title, ground, readers = [], writers = [] } = filled
        await api.patch('cases/{case}', { path: { case: one.id }, body: { title, ground, readers, writers }, revision: one.revision })
      } else {
        const made = await api.post('cases', { body: { ...filled, area: filled.area ?? null, organisation: filled.organisation ?? null }, once: true })
        void navigate(`/cases/${made.id}`)
      }
      await queries.invalidateQueries({ queryKey: ['cases'] })
      onClose()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  const initial = one ?? { purpose: 'security' as const, readers: [], writers: [] }
  return (
    <Modal open title={t(one ? 'case.members' : 'case.open')} footer={null} onCancel={onClose} width={608} maskClosable={false} destroyOnHidden>
      <Form<Filled> className="form" layout="vertical" requiredMark={false} initialValues={initial} onFinish={(filled) => void save(filled)}>
        <div className="row wrap" style={{ alignItems: 'flex-start' }}>
          <Form.Item name="number" label={t('case.number')} rules={[{ required: true, whitespace: true, message: t('case.number') }]} style={{ flex: '1 1 200px' }}><Input maxLength={100} autoFocus disabled={one !== undefined} /></Form.Item>
          <Form.Item name="purpose" label={t('case.purpose')} extra={t('case.purposeHint')} style={{ flex: '1 1 200px' }}><Select disabled={one !== undefined} options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} /></Form.Item>
        </div>
        <Form.Item name="title" label={t('case.title')} rules={[{ required: true, whitespace: true, message: t('case.title') }]}><Input maxLength={200} /></Form.Item>
        <Form.Item name="ground" label={t('case.ground')} extra={t('case.groundHint')} rules={[{ required: true, whitespace: true, message: t('case.ground') }]}><Input.TextArea maxLength={1000} rows={2} /></Form.Item>
        {!one && (
          <div className="row wrap" style={{ alignItems: 'flex-start' }}>
            <Form.Item name="area" label={t('word.area')} style={{ flex: '1 1 200px' }}><PlaceSelect what="areas" /></Form.Item>
            <Form.Item name="organisation" label={t('device.organisation')} style={{ flex: '1 1 200px' }}><PlaceSelect what="organisations" /></Form.Item>
          </div>
        )}
        <Form.Item name="writers" label={t('case.writers')} extra={t('case.membersHint')}><SeatsField label={t('case.writers')} roles={false} /></Form.Item>
        <Form.Item name="readers" label={t('case.readers')}><SeatsField label={t('case.readers')} roles={false} /></Form.Item>
        <ProblemNote error={problem} />
        <Button type="primary" htmlType="submit" loading={busy}>{t(one ? 'verb.save' : 'case.open')}</Button>
      </Form>
    </Modal>
  )
}
