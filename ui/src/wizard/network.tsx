import { useQuery } from '@tanstack/react-query'
import { App, Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { AddressTested } from '../api/types'
import { copyText } from '../devices/credentials'
import { ProblemNote } from '../parts/problem'
import { maybe, t } from '../words'
import type { StepProps } from './page'

export function AddressStep({ state, onReady }: StepProps) {
  const { data, error } = useQuery({ queryKey: ['wizard', 'addresses'], queryFn: ({ signal }) => api.get('wizard/addresses', { signal }) })
  const found = data?.items ?? []
  const [typed, setTyped] = useState<string | null>(null)
  const [tested, setTested] = useState<AddressTested | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const chosen = typed ?? (state.platform.public_host || found.find((each) => each.proposed)?.address || '')
  const test = async (address: string) => {
    setProblem(null)
    try {
      setTested(await api.post('wizard/addresses/test', { body: { address } }))
    } catch (failure) {
      setProblem(failure)
    }
  }
  useEffect(() => {
    if (chosen && typed === null) void test(chosen)
  }, [chosen, typed])
  useEffect(() => {
    onReady(chosen ? async () => {
      await api.put('wizard/platform', { body: { public_host: chosen } })
    } : null)
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen])
  const pick = (address: string) => {
    setTyped(address)
    setTested(null)
    void test(address)
  }
  return (
    <div className="column">
      <p>{t('wizard.address')}</p>
      <ProblemNote error={error ?? problem} />
      <div className="column" role="radiogroup" aria-label={t('wizard.step.address')}>
        {found.map((each) => (
          <button key={`${each.interface} ${each.address}`} type="button" className="choice" role="radio" aria-checked={each.address === chosen} onClick={() => pick(each.address)}>
            <b className="mono">{each.address}</b>
            <span className="quiet">{each.interface}</span>
            <span className="badge">{maybe(`wizard.address.kind.${each.kind}`) ?? each.kind}</span>
            {each.proposed && <span className="badge">{t('wizard.address.proposed')}</span>}
          </button>
        ))}
      </div>
      <div className="row">
        <Input value={chosen} aria-label={t('wizard.address.other')} placeholder={t('wizard.address.other')} className="mono" maxLength={253} style={{ maxWidth: 320 }} onChange={(event) => { setTyped(event.target.value); setTested(null) }} />
        <Button disabled={!chosen} onClick={() => void test(chosen)}>{t('verb.test')}</Button>
      </div>
      <p role="status">{tested && tested.address === chosen && (tested.ok ? `✓ ${t('wizard.address.ok')}` : <span className="p2">▲ {tested.sentence || tested.code}</span>)}</p>
      {found.some((each) => each.address === chosen && each.kind === 'loopback') && <p className="p3">▲ {t('wizard.address.loopback')}</p>}
      <p className="quiet">{t('wizard.address.proves')}</p>
    </div>
  )
}

export function PortsStep() {
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['wizard', 'ports'], queryFn: ({ signal }) => api.get('wizard/ports', { signal }) })
  const { message } = App.useApp()
  const ports = data?.items ?? []
  const copy = async () => {
    const list = ports.map((port) => `${port.port}${port.last > port.port ? `-${port.last}` : ''}/${port.protocol}`)
    if (await copyText(list.join('\n'))) void message.success(t('verb.copied'))
  }
  return (
    <div className="column">
      <p>{t('wizard.ports')}</p>
      <ProblemNote error={error} />
      <dl className="credential panel">
        {ports.map((port) => (
          <div key={`${port.name} ${port.port} ${port.protocol}`} style={{ display: 'contents' }}>
            <dt>{maybe(`wizard.ports.name.${port.name.split('-')[0] ?? ''}`) ?? port.name}</dt>
            <dd className="mono">{port.port}{port.last > port.port ? `–${port.last}` : ''} {port.protocol.toUpperCase()}</dd>
            <span className={port.ok ? '' : 'p2'}>{port.ok ? `✓ ${t('wizard.ports.ok')}` : `▲ ${port.sentence}`}</span>
          </div>
        ))}
      </dl>
      <div className="row">
        <Button loading={isFetching} onClick={() => void refetch()}>{t('verb.retry')}</Button>
        <Button onClick={() => void copy()}>{t('wizard.ports.copy')}</Button>
      </div>
    </div>
  )
}
