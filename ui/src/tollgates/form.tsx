import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Form, Input, InputNumber, Modal, Select, Switch } from 'antd'
import { useState } from 'react'
import { PlaceSelect } from '../admin/choose'
import { api, type Body } from '../api/client'
import type { Tollgate } from '../api/types'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { type Key, t } from '../words'
import { PURPOSES } from './passages'
import { ZoneField } from './zone'

type Filled = Body<'post', 'tollgates'>
const DIRECTIONS = ['west_east', 'east_west', 'north_south', 'south_north', 'southwest_northeast', 'northeast_southwest', 'northwest_southeast', 'southeast_northwest', 'other'] as const
const FRESH: Partial<Filled> = { purposes: ['traffic', 'security'], retention_days: 30, fuse_seconds: 4, restricted: false, enabled: true, lanes: [{ number: 1, direction: 'other', name: '', city: 'neither', read_plates: false }], reporters: [] }

/** A new checkpoint, or what an old one is set to. */
export function TollgateForm({ gate, onClose }: { gate: Tollgate | null; onClose: () => void }) {
  const queries = useQueryClient()
  const { modal, message } = App.useApp()
  const [form] = Form.useForm<Filled>()
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const devices = usePages(['devices'], 'devices')
  const channels = usePages(['channels'], 'channels')
  const cameras = channels.rows.map((channel) => ({ value: channel.id, label: channel.name }))
  const done = async () => {
    await queries.invalidateQueries({ queryKey: ['tollgates'] })
    onClose()
  }
  const save = async (filled: Filled) => {
    setBusy(true)
    setProblem(null)
    const lanes = (filled.lanes ?? []).map((lane) => ({ ...lane, channel: lane.channel ?? null, read_plates: Boolean(lane.channel && lane.read_plates), zone: lane.channel ? lane.zone ?? [] : [], unread: Boolean(lane.unread && lane.channel && lane.read_plates && lane.zone?.length) }))
    const body = { ...filled, lanes, longitude: filled.longitude ?? null, latitude: filled.latitude ?? null, area: filled.area ?? null, organisation: filled.organisation ?? null }
    try {
      if (gate) await api.patch('tollgates/{tollgate}', { path: { tollgate: gate.id }, body, revision: gate.revision })
      else await api.post('tollgates', { body, once: true })
      await done()
    } catch (error) {
      setProblem(error)
      setBusy(false)
    }
  }
  const remove = (old: Tollgate) => modal.confirm({
    title: t('tollgate.remove', { name: old.name }), okText: t('verb.delete'), okButtonProps: { danger: true }, cancelText: t('verb.cancel'),
    onOk: async () => {
      try {
        await api.remove('tollgates/{tollgate}', { path: { tollgate: old.id } })
        await done()
      } catch (error) {
        void message.error(sentence(error))
      }
    },
  })
  return (
    <Modal open title={t(gate ? 'tollgate.change' : 'tollgate.add')} footer={null} onCancel={onClose} width={720} maskClosable={false} destroyOnHidden>
      <Form form={form} className="form" layout="vertical" requiredMark={false} initialValues={gate ? pick(gate) : FRESH} onFinish={(filled: Filled) => void save(filled)}>
        <Form.Item name="name" label={t('word.name')} rules={[{ required: true, whitespace: true, message: t('word.name') }]}><Input maxLength={100} autoFocus /></Form.Item>
        <Form.Item name="code" label={t('tollgate.code')} rules={[{ pattern: /^(\d{20})?$/, message: t('tollgate.codeBad') }]} validateTrigger="onBlur"><Input maxLength={20} inputMode="numeric" className="mono" /></Form.Item>
        <Form.Item name="area" label={t('device.area')}><PlaceSelect what="areas" /></Form.Item>
        <Form.Item name="organisation" label={t('device.organisation')}><PlaceSelect what="organisations" /></Form.Item>
        <div className="row">
          <Form.Item name="longitude" label={t('tollgate.longitude')}><InputNumber min={-180} max={180} step={0.0001} /></Form.Item>
          <Form.Item name="latitude" label={t('tollgate.latitude')}><InputNumber min={-90} max={90} step={0.0001} /></Form.Item>
          <Form.Item name="retention_days" label={t('tollgate.retention')} rules={[{ required: true, message: t('tollgate.retention') }]}><InputNumber min={1} max={3650} /></Form.Item>
          <Form.Item name="fuse_seconds" label={t('tollgate.fuse')} rules={[{ required: true, message: t('tollgate.fuse') }]}><InputNumber min={1} max={60} /></Form.Item>
        </div>
        <Form.Item label={t('tollgate.lanes')} extra={t('tollgate.readHint')}>
          <Form.List name="lanes">
            {(fields, { add, remove: drop }) => (
              <div className="column">
                {fields.map((field) => (
                  <div key={field.key} className="column">
                    <div className="row">
                      <Form.Item name={[field.name, 'number']} noStyle rules={[{ required: true, message: t('tollgate.lane') }]}><InputNumber min={1} max={99} aria-label={t('tollgate.lane')} style={{ width: 64 }} /></Form.Item>
                      <Form.Item name={[field.name, 'direction']} noStyle><Select aria-label={t('tollgate.direction')} style={{ width: 220 }} options={DIRECTIONS.map((value) => ({ value, label: t(`tollgate.direction.${value}` as Key) }))} /></Form.Item>
                      <Form.Item name={[field.name, 'max_speed_kmh']} noStyle><InputNumber min={5} max={200} placeholder={t('tollgate.limit')} aria-label={t('tollgate.limit')} style={{ width: 130 }} /></Form.Item>
                      <Button type="text" icon={<DeleteOutlined />} aria-label={t('verb.delete')} onClick={() => drop(field.name)} />
                    </div>
                    <div className="row wrap" style={{ paddingLeft: 72 }}>
                      <Form.Item name={[field.name, 'channel']} noStyle><Select allowClear showSearch optionFilterProp="label" placeholder={t('tollgate.camera')} aria-label={t('tollgate.camera')} style={{ width: 220 }} options={cameras} onChange={() => form.setFieldValue(['lanes', field.name, 'zone'], [])} /></Form.Item>
                      <Form.Item noStyle shouldUpdate>
                        {() => (
                          <Form.Item name={[field.name, 'read_plates']} noStyle valuePropName="checked">
                            <Checkbox disabled={!form.getFieldValue(['lanes', field.name, 'channel'])}>{t('tollgate.read')}</Checkbox>
                          </Form.Item>
                        )}
                      </Form.Item>
                      <Form.Item noStyle shouldUpdate>
                        {() => (
                          <Form.Item name={[field.name, 'zone']} noStyle>
                            <ZoneField lane={form.getFieldValue(['lanes', field.name])} lanes={form.getFieldValue('lanes')} />
                          </Form.Item>
                        )}
                      </Form.Item>
                      <Form.Item noStyle shouldUpdate>
                        {() => (
                          <Form.Item name={[field.name, 'unread']} noStyle valuePropName="checked">
                            <Checkbox title={t('tollgate.unreadHint')} disabled={!form.getFieldValue(['lanes', field.name, 'read_plates']) || !form.getFieldValue(['lanes', field.name, 'zone'])?.length}>{t('tollgate.unread')}</Checkbox>
                          </Form.Item>
                        )}
                      </Form.Item>
                    </div>
                  </div>
                ))}
                <div><Button icon={<PlusOutlined />} onClick={() => add({ number: fields.length + 1, direction: 'other', read_plates: false })}>{t('tollgate.lane.add')}</Button></div>
              </div>
            )}
          </Form.List>
        </Form.Item>
        <Form.Item name="reporters" label={t('tollgate.reporters')} extra={t('tollgate.reportersHint')}>
          <Select mode="multiple" optionFilterProp="label" options={devices.rows.filter((device) => device.kind === 'gat1400').map((device) => ({ value: device.id, label: device.name }))} />
        </Form.Item>
        <Form.Item name="purposes" label={t('tollgate.purposes')} rules={[{ required: true, message: t('tollgate.purposes') }]}><Select mode="multiple" options={PURPOSES.map((value) => ({ value, label: t(`purpose.${value}` as Key) }))} /></Form.Item>
        <Form.Item name="restricted" label={t('tollgate.restricted')} valuePropName="checked"><Switch /></Form.Item>
        <ProblemNote error={problem} />
        <div className="row">
          {gate && <Button danger onClick={() => void remove(gate)}>{t('verb.delete')}</Button>}
          <span className="grow" />
          <Button type="primary" htmlType="submit" loading={busy}>{t('verb.save')}</Button>
        </div>
      </Form>
    </Modal>
  )
}

function pick(gate: Tollgate): Partial<Filled> {
  const { name, code, area, organisation, longitude, latitude, lanes, purposes, retention_days, restricted, fuse_seconds, reporters } = gate
  return { name, code, area, organisation, longitude, latitude, lanes, purposes, retention_days, restricted, fuse_seconds, reporters }
}
