import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, InputNumber, Select } from 'antd'
import { useState } from 'react'
import { api, type Body } from '../api/client'
import { More } from '../parts/more'
import { usePages } from '../parts/pages'
import { ProblemNote, sentence } from '../parts/problem'
import { stamp } from '../parts/times'
import { type Key, t } from '../words'

type NewSection = Body<'post', 'sections'>
type NewExemption = Body<'post', 'exemptions'>
const DUTIES = ['police', 'fire', 'ambulance', 'rescue', 'maintenance', 'other'] as const

/** Over which sections speeds are measured, and which vehicles are exempt. */
export function Rules() {
  return <div className="cards scroll" style={{ height: '100%', gridTemplateColumns: 'repeat(auto-fit, minmax(min(460px, 100%), 1fr))', alignItems: 'start' }}><Sections /><Exemptions /></div>
}

function useDone(key: string) {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: ['violations', key] })
}

function Sections() {
  const [adding, setAdding] = useState(false)
  const [problem, setProblem] = useState<unknown>(null)
  const done = useDone('sections')
  const { message, modal } = App.useApp()
  const list = usePages(['violations', 'sections'], 'sections')
  const gates = useQuery({ queryKey: ['tollgates', 'names'], queryFn: ({ signal }) => api.get('tollgates', { query: { limit: 500 }, signal }) })
  const options = gates.data?.items.map((gate) => ({ value: gate.id, label: gate.name })) ?? []
  const name = (gate: string) => options.find((each) => each.value === gate)?.label ?? gate
  const add = async (filled: NewSection) => {
    try {
      await api.post('sections', { body: filled, once: true })
      setProblem(null)
      setAdding(false)
      await done()
    } catch (failed) {
      setProblem(failed)
    }
  }
  const remove = (section: { id: string; name: string }) => modal.confirm({
    title: t('section.removeAsk', { name: section.name }), okText: t('section.remove'),
    onOk: async () => {
      try {
        await api.remove('sections/{section}', { path: { section: section.id } })
      } catch (failed) {
        void message.error(sentence(failed))
      }
      await done()
    },
  })
  return (
    <section className="panel column">
      <div className="row"><h2 className="grow">{t('section.title')}</h2><Button size="small" onClick={() => setAdding(!adding)}>{t('section.add')}</Button></div>
      <span className="quiet">{t('section.hint')}</span>
      <ProblemNote error={list.error ?? problem} />
      {adding && (
        <Form<NewSection> layout="vertical" requiredMark={false} onFinish={(filled) => void add(filled)} initialValues={{ length_error_m: 0, tolerance_kmh: 0, limit_kmh: 100 }}>
          <Form.Item name="name" label={t('section.name')} rules={[{ required: true, message: t('section.name') }]}><Input maxLength={200} /></Form.Item>
          <div className="row">
            <Form.Item className="grow" name="entry" label={t('section.entry')} rules={[{ required: true, message: t('section.entry') }]}><Select options={options} showSearch optionFilterProp="label" /></Form.Item>
            <Form.Item className="grow" name="exit" label={t('section.exit')} rules={[{ required: true, message: t('section.exit') }]}><Select options={options} showSearch optionFilterProp="label" /></Form.Item>
          </div>
          <div className="row wrap">
            <Numbered name="length_m" of="section.length" />
            <Numbered name="length_error_m" of="section.lengthError" />
            <Numbered name="limit_kmh" of="section.limit" />
            <Numbered name="tolerance_kmh" of="section.tolerance" />
            <Numbered name="entry_clock_error_ms" of="section.entryClock" />
            <Numbered name="exit_clock_error_ms" of="section.exitClock" />
          </div>
          <Form.Item name="certificate" label={t('violation.certificate')}><Input maxLength={100} /></Form.Item>
          <Button type="primary" htmlType="submit">{t('section.add')}</Button>
        </Form>
      )}
      {!list.loading && !list.error && list.rows.length === 0 && <span className="quiet">{t('section.none')}</span>}
      {list.rows.map((one) => (
        <div key={one.id} className="row wrap" style={{ borderTop: '1px solid var(--line)', paddingTop: 8 }}>
          <div className="grow"><b>{one.name}</b>{!one.enabled && <span className="quiet"> · {t('section.off')}</span>}<br /><span className="quiet">{t('section.facts', { ...one, entry: name(one.entry), exit: name(one.exit) })}</span></div>
          <Button size="small" danger onClick={() => remove(one)}>{t('section.remove')}</Button>
        </div>
      ))}
      <More more={list.more} />
    </section>
  )
}

function Numbered({ name, of }: { name: string; of: Key }) {
  return <Form.Item name={name} label={t(of)} rules={[{ required: true, message: t(of) }]}><InputNumber style={{ width: 130 }} min={0} /></Form.Item>
}

function Exemptions() {
  const [problem, setProblem] = useState<unknown>(null)
  const [form] = Form.useForm<NewExemption>()
  const done = useDone('exemptions')
  const list = usePages(['violations', 'exemptions'], 'exemptions')
  const add = async (filled: NewExemption) => {
    try {
      await api.post('exemptions', { body: { plate: filled.plate, duty: filled.duty, reason: filled.reason }, once: true })
      setProblem(null)
      form.resetFields()
    } catch (failed) {
      setProblem(failed)
    }
    await done()
  }
  const end = async (exemption: string) => {
    try {
      await api.remove('exemptions/{exemption}', { path: { exemption } })
    } catch (failed) {
      setProblem(failed)
    }
    await done()
  }
  return (
    <section className="panel column">
      <h2>{t('exemption.title')}</h2>
      <span className="quiet">{t('exemption.hint')}</span>
      <ProblemNote error={list.error ?? problem} />
      <Form<NewExemption> form={form} layout="vertical" requiredMark={false} initialValues={{ duty: 'ambulance' }} onFinish={(filled) => void add(filled)}>
        <div className="row wrap" style={{ alignItems: 'flex-end' }}>
          <Form.Item name="plate" label={t('watch.plate')} rules={[{ required: true, message: t('watch.plate') }]}><Input style={{ width: 130 }} maxLength={16} /></Form.Item>
          <Form.Item name="duty" label={t('exemption.duty')}><Select style={{ width: 130 }} options={DUTIES.map((value) => ({ value, label: t(`exemption.duty.${value}` as Key) }))} /></Form.Item>
          <Form.Item className="grow" name="reason" label={t('exemption.reason')} rules={[{ required: true, message: t('exemption.reason') }]}><Input maxLength={500} /></Form.Item>
          <Form.Item><Button htmlType="submit">{t('exemption.add')}</Button></Form.Item>
        </div>
      </Form>
      {!list.loading && !list.error && list.rows.length === 0 && <span className="quiet">{t('exemption.none')}</span>}
      {list.rows.map((one) => {
        return (
          <div key={one.id} className="row" style={{ borderTop: '1px solid var(--line)', paddingTop: 8 }}>
            <div className="grow"><span className="mono">{one.plate}</span> · {t(`exemption.duty.${one.duty}` as Key)} · {one.reason}<br /><span className="quiet">{stamp(one.since)} – {one.until ? stamp(one.until) : t('exemption.open')} · {one.added_by}</span></div>
            {!one.over && <Button size="small" onClick={() => void end(one.id)}>{t('exemption.end')}</Button>}
          </div>
        )
      })}
      <More more={list.more} />
    </section>
  )
}
