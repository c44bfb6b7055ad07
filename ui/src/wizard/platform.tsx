import { useMutation, useQuery } from '@tanstack/react-query'
import { Button, Form, Input, Select } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { Division } from '../api/types'
import { zones } from '../admin/settings'
import { useSecond } from '../parts/age'
import { ClockPanel } from '../parts/clock'
import { ProblemNote } from '../parts/problem'
import { setZone, stamp } from '../parts/times'
import { t } from '../words'
import type { StepProps } from './page'

function useDivisions(parent: string, on: boolean) {
  return useQuery({ queryKey: ['wizard', 'divisions', parent], queryFn: ({ signal }) => api.get('wizard/divisions', { query: { parent }, signal }), staleTime: Infinity, enabled: on })
}

export function PlatformStep({ state, onReady }: StepProps) {
  const [area, setArea] = useState(state.platform.area_code)
  const [code, setCode] = useState<string | null>(state.platform.code || null)
  const [domain, setDomain] = useState<string | null>(state.platform.domain || null)
  const provinces = useDivisions('', true)
  const province = area.slice(0, 2)
  const cities = useDivisions(province, province.length === 2)
  const valid = /^(\d{2}|\d{4}|\d{6})$/.test(area)
  const proposal = useQuery({ queryKey: ['wizard', 'proposal', area], queryFn: ({ signal }) => api.get('wizard/proposal', { query: { area_code: area }, signal }), enabled: valid, retry: false })
  const shownCode = code ?? proposal.data?.code ?? ''
  const shownDomain = domain ?? proposal.data?.domain ?? ''
  useEffect(() => {
    onReady(async () => {
      await api.put('wizard/platform', { body: { ...(valid ? { area_code: area } : {}), ...(shownCode ? { code: shownCode } : {}), ...(shownDomain ? { domain: shownDomain } : {}) } })
    })
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [area, shownCode, shownDomain])
  const pick = (value: string) => {
    setArea(value)
    setCode(null)
    setDomain(null)
  }
  const options = (list: Division[] | undefined, width: number) => (list ?? []).map((each) => ({ value: each.code.slice(0, width), label: `${each.name} ${each.code.slice(0, width)}` }))
  return (
    <div className="column">
      <p>{t('wizard.platform')}</p>
      <Form layout="vertical" className="form">
        <div className="row wrap" style={{ gap: 16 }}>
          <Form.Item label={t('wizard.platform.province')}>
            <Select showSearch optionFilterProp="label" style={{ width: 200 }} value={province.length === 2 ? province : null} aria-label={t('wizard.platform.province')} options={options(provinces.data?.items, 2)} onChange={pick} />
          </Form.Item>
          <Form.Item label={t('wizard.platform.city')}>
            <Select showSearch optionFilterProp="label" style={{ width: 200 }} value={area.length >= 4 ? area.slice(0, 4) : null} aria-label={t('wizard.platform.city')} options={options(cities.data?.items, 4)} onChange={pick} disabled={province.length !== 2} />
          </Form.Item>
          <Form.Item label={t('wizard.platform.area')} validateStatus={area && !valid ? 'error' : ''} help={area && !valid ? t('wizard.platform.areaBad') : undefined}>
            <Input className="mono" style={{ width: 120 }} value={area} maxLength={6} inputMode="numeric" aria-label={t('wizard.platform.area')} onChange={(event) => pick(event.target.value.trim())} />
          </Form.Item>
        </div>
        {proposal.data && <p className="quiet">{proposal.data.areas.map((each) => each.name || each.code).join(' › ')}</p>}
        <ProblemNote error={proposal.error} />
        <Form.Item label={t('settings.code')} validateStatus={shownCode && !/^\d{20}$/.test(shownCode) ? 'error' : ''}>
          <Input className="mono" value={shownCode} maxLength={20} aria-label={t('settings.code')} onChange={(event) => setCode(event.target.value.trim())} />
        </Form.Item>
        <Form.Item label={t('settings.domain')}>
          <Input className="mono" value={shownDomain} maxLength={20} aria-label={t('settings.domain')} onChange={(event) => setDomain(event.target.value.trim())} />
        </Form.Item>
        {state.platform.remarks.map((remark) => <p key={remark.code} className="p3">▲ {remark.sentence}</p>)}
      </Form>
    </div>
  )
}

export function ClockStep({ state, onReady }: StepProps) {
  const now = useSecond()
  const [seen] = useState(() => ({ server: state.now_us, here: Date.now() }))
  const [source, setSource] = useState(state.platform.clock_source)
  const [server, setServer] = useState(state.platform.ntp_server)
  const [zone, pickZone] = useState(state.platform.zone)
  const test = useMutation({ mutationFn: (ntp_server: string) => api.post('wizard/clock/test', { body: { ntp_server } }) })
  const off = Math.round((seen.server / 1000 - seen.here) / 1000)
  useEffect(() => {
    onReady(async () => {
      await api.put('wizard/platform', { body: { clock_source: source, zone, ...(source === 'ntp' ? { ntp_server: server } : {}) } })
      setZone(zone)
    })
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [source, server, zone])
  return (
    <div className="column">
      <p>{t('wizard.clock')} <b className="mono">{stamp(seen.server + (now - seen.here) * 1000)}</b></p>
      {Math.abs(off) > 3 && <p className="p3">▲ {t('wizard.clock.off', { seconds: off })}</p>}
      <Form layout="vertical" className="form">
        <Form.Item label={t('settings.clock')}>
          <Select value={source} onChange={setSource} aria-label={t('settings.clock')} options={(['system', 'ntp', 'manual'] as const).map((value) => ({ value, label: t(`settings.clock.${value}`) }))} />
        </Form.Item>
        <p className="quiet">{t(`wizard.clock.hint.${source}`)}</p>
        {source === 'ntp' && (
          <Form.Item label={t('settings.ntp')} help={t('clock.servers')}>
            <div className="row">
              <Input value={server} maxLength={253} aria-label={t('settings.ntp')} onChange={(event) => setServer(event.target.value)} />
              <Button loading={test.isPending} disabled={!server.trim()} onClick={() => test.mutate(server)}>{t('clock.test')}</Button>
            </div>
          </Form.Item>
        )}
        {source === 'ntp' && test.data && <ClockPanel clock={test.data} />}
        {source === 'ntp' && <ProblemNote error={test.error} />}
        <Form.Item label={t('settings.zone')}>
          <Select showSearch value={zone} onChange={pickZone} aria-label={t('settings.zone')} options={zones().map((value) => ({ value, label: value }))} />
        </Form.Item>
      </Form>
    </div>
  )
}
