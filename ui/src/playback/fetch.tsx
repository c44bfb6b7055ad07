import { CloseOutlined } from '@ant-design/icons'
import { App, Button, Form, Modal, Progress, Select } from 'antd'
import { useState } from 'react'
import { Tool } from '../live/tools'
import { sentence, stepWords } from '../parts/problem'
import { useStore } from '../parts/store'
import { clock, day, span } from '../parts/times'
import { bytes } from '../parts/units'
import { t } from '../words'
import { RangeFacts } from './export'
import { fetches, fetchFromDevice, type FetchJob, forget } from './fetches'

const SPEEDS = [1, 2, 4, 8, 16]

/** Fetch the marked range from the device as a file. */
export function FetchDialog({ channel, start, end, onClose }: { channel: { id: string; name: string }; start: number; end: number; onClose: () => void }) {
  const { message } = App.useApp()
  const [speed, setSpeed] = useState(4)
  const begin = () => {
    fetchFromDevice(channel.id, channel.name, start, end, speed)
    void message.info(t('fetch.begun'))
    onClose()
  }
  return (
    <Modal open title={t('fetch.title')} okText={t('fetch.start')} cancelText={t('verb.cancel')} onCancel={onClose} onOk={begin}>
      <p className="quiet">{t('fetch.explain')}</p>
      <RangeFacts channels={[channel]} start={start} end={end} />
      <Form layout="vertical" style={{ marginTop: 12 }}>
        <Form.Item label={t('fetch.speed')} extra={t('fetch.speedHint', { time: span((end - start) / 1e6 / speed) })}>
          <Select aria-label={t('fetch.speed')} value={speed} onChange={setSpeed} style={{ width: 120 }} options={SPEEDS.map((value) => ({ value, label: `${value}×` }))} />
        </Form.Item>
      </Form>
    </Modal>
  )
}

/** What is being fetched, and how it went. */
export function FetchList() {
  const { jobs } = useStore(fetches)
  if (jobs.length === 0) return null
  return (
    <div className="fetches" role="region" aria-label={t('fetch.list')}>
      {jobs.map((job) => (
        <div key={job.id} className="row wrap">
          <b className="clip">{job.name}</b>
          <span className="quiet nowrap">{day(job.start)} {clock(job.start)} – {clock(job.end)}</span>
          {job.state === 'running' ? (
            <>
              <Progress percent={Math.min(99, Math.round((job.seconds * 1e8) / (job.end - job.start)))} size="small" status="normal" style={{ width: 160, margin: 0 }} strokeColor="var(--text-2)" />
              <span className="quiet nowrap">{bytes(job.bytes)}</span>
              <Button size="small" onClick={job.cancel}>{t('verb.cancel')}</Button>
            </>
          ) : (
            <>
              <span className={job.state === 'failed' ? 'p2' : ''} role="status">{outcome(job)}</span>
              <span className="grow" />
              <Tool words={t('fetch.forget')} onClick={() => forget(job.id)}><CloseOutlined /></Tool>
            </>
          )}
        </div>
      ))}
    </div>
  )
}

function outcome({ result, problem, start, end }: FetchJob): string {
  if (!result) return sentence(problem)
  if (result.files.length === 0) return result.ended === 'end' ? t('fetch.nothing') : stepWords(result.ended, result.params)
  const said = [t('fetch.done', { size: bytes(result.bytes), length: span(result.seconds) })]
  // Devices begin with the key frame before and end with the picture after: a second or two is no loss.
  if (result.seconds < (end - start) / 1e6 - 3) said.push(t('fetch.short', { length: span((end - start) / 1e6) }))
  if (result.ended !== 'end') said.push(stepWords(result.ended, result.params))
  if (result.lost > 0) said.push(t('fetch.lost', { n: result.lost }))
  if (result.soundApart) said.push(t('fetch.soundApart'))
  return said.join(' ')
}
