import { useQuery } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { api } from '../api/client'
import type { Page } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { maybe, t } from '../words'
import type { StepProps } from './page'

interface Address {
  address: string
  interface: string
  kind: string
  proposed: boolean
}

interface Tested {
  address: string
  ok: boolean
  code: string
  sentence: string
}

export function AddressStep({ state, onReady }: StepProps) {
  const { data, error } = useQuery({ queryKey: ['wizard', 'addresses'], queryFn: ({ signal }) => api.get<Page<Address>>('wizard/addresses', undefined, signal) })
  const found = data?.items ?? []
  const [typed, setTyped] = useState<string | null>(null)
  const [tested, setTested] = useState<Tested | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const chosen = typed ?? (state.platform.public_host || found.find((each) => each.proposed)?.address || '')
  const test = async (address: string) => {
    setProblem(null)
    try {
      setTested(await api.post<Tested>('wizard/addresses/test', { address }))
    } catch (failure) {
      setProblem(failure)
    }
  }
  useEffect(() => {
    if (chosen && typed === null) void test(chosen)
  }, [chosen, typed])
  useEffect(() => {
    onReady(chosen ? async () => {
      await api.put('wizard/platform', { public_host: chosen })
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
    </div>
  )
}

interface Port {
  name: string
  port: number
  last: number
  protocol: string
  ok: boolean
  sentence: string
}

export function PortsStep() {
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['wizard', 'ports'], queryFn: ({ signal }) => api.get<Page<Port>>('wizard/ports', undefined, signal) })
  return (
    <div className="column">
      <p>{t('wizard.ports')}</p>
      <ProblemNote error={error} />
      <dl className="credential panel">
        {(data?.items ?? []).map((port) => (
          <div key={`${port.name} ${port.port} ${port.protocol}`} style={{ display: 'contents' }}>
            <dt>{maybe(`wizard.ports.name.${port.name.split('-')[0] ?? ''}`) ?? port.name}</dt>
            <dd className="mono">{port.port}{port.last > port.port ? `–${port.last}` : ''} {port.protocol.toUpperCase()}</dd>
            <span className={port.ok ? '' : 'p2'}>{port.ok ? `✓ ${t('wizard.ports.ok')}` : `▲ ${port.sentence}`}</span>
          </div>
        ))}
      </dl>
      <div><Button loading={isFetching} onClick={() => void refetch()}>{t('verb.retry')}</Button></div>
    </div>
  )
}
