import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { type ReactNode, useState } from 'react'
import { useNavigate } from 'react-router'
import { api } from '../api/client'
import type { WizardState } from '../api/types'
import { ProblemNote } from '../parts/problem'
import { type Key, t, useLanguage } from '../words'
import { CameraStep } from './camera'
import { AddressStep, PortsStep } from './network'
import { ClockStep, PlatformStep } from './platform'
import { DemoStep, LanguageStep } from './simple'
import { VolumesStep } from './volumes'

export interface StepProps {
  state: WizardState
  /** What must succeed before the next step; without it Next just goes on. */
  onReady: (save: (() => Promise<void>) | null) => void
}

const STEPS: { key: string; words: Key; Body: (props: StepProps) => ReactNode }[] = [
  { key: 'language', words: 'wizard.step.language', Body: LanguageStep },
  { key: 'address', words: 'wizard.step.address', Body: AddressStep },
  { key: 'ports', words: 'wizard.step.ports', Body: PortsStep },
  { key: 'platform', words: 'wizard.step.platform', Body: PlatformStep },
  { key: 'clock', words: 'wizard.step.clock', Body: ClockStep },
  { key: 'volumes', words: 'wizard.step.volumes', Body: VolumesStep },
  { key: 'camera', words: 'wizard.step.camera', Body: CameraStep },
  { key: 'demo', words: 'wizard.step.demo', Body: DemoStep },
]

/** One question after the other, each with an answer proposed; every step may be left and come back to. */
export function WizardPage() {
  useLanguage()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [at, setAt] = useState(0)
  const [reached, setReached] = useState(0)
  const [save, setSave] = useState<{ run: () => Promise<void> } | null>(null)
  const [problem, setProblem] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const { data, error, refetch } = useQuery({ queryKey: ['wizard'], queryFn: ({ signal }) => api.get('wizard', { signal }) })
  const last = at === STEPS.length - 1
  const { Body } = STEPS[at]!

  const go = (to: number) => {
    setProblem(null)
    setSave(null)
    setAt(to)
    setReached((now) => Math.max(now, to))
  }
  const next = async () => {
    setBusy(true)
    try {
      if (save) await save.run()
      await queries.invalidateQueries({ queryKey: ['wizard'] })
      if (last) {
        await api.post('wizard/finish')
        void navigate('/live', { replace: true })
      } else go(at + 1)
    } catch (failure) {
      setProblem(failure)
    }
    setBusy(false)
  }
  return (
    <main className="wizard">
      <header className="row">
        <img src="/icon.svg" width="24" height="24" alt="" />
        <h1 className="grow">{t('wizard.title')}</h1>
        <Button type="text" onClick={() => void navigate('/live')}>{t('wizard.later')}</Button>
      </header>
      <ol className="steps">
        {STEPS.map((step, index) => (
          <li key={step.key} aria-current={index === at ? 'step' : undefined} className={index < reached ? 'done' : ''}>
            <button type="button" className="plain-button" disabled={index > reached} onClick={() => go(index)}><span className="number">{index < reached && index !== at ? '✓' : index + 1}</span> {t(step.words)}</button>
          </li>
        ))}
      </ol>
      <section className="wizard-body" aria-label={t(STEPS[at]!.words)}>
        <h2>{t(STEPS[at]!.words)}</h2>
        <ProblemNote error={error} retry={() => void refetch()} />
        {data && <Body key={at} state={data} onReady={(run) => setSave(run ? { run } : null)} />}
        <ProblemNote error={problem} />
      </section>
      <footer className="wizard-foot">
        <Button disabled={at === 0} onClick={() => go(at - 1)}>{t('verb.back')}</Button>
        <span className="quiet">{t('wizard.progress', { n: at + 1, of: STEPS.length })}</span>
        <span className="grow" />
        {!last && <Button type="text" onClick={() => go(at + 1)}>{t('verb.skip')}</Button>}
        <Button type="primary" loading={busy} disabled={!data} onClick={() => void next()}>{last ? t('wizard.finish') : t('verb.next')}</Button>
      </footer>
    </main>
  )
}
