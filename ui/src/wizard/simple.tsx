import { useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { useEffect } from 'react'
import { api } from '../api/client'
import { useSpoken } from '../api/session'
import { sentence } from '../parts/problem'
import { type Language, language, t } from '../words'
import type { StepProps } from './page'

export function LanguageStep({ onReady }: StepProps) {
  const speak = useSpoken()
  const now = language()
  useEffect(() => {
    onReady(async () => {
      await api.put('wizard/platform', { body: { language: now } })
    })
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [now])
  const choice = (tag: Language, words: string) => (
    <button key={tag} type="button" lang={tag} className="choice" aria-pressed={now === tag} onClick={() => speak(tag)}>{words}</button>
  )
  return (
    <div className="column">
      <p>{t('wizard.language')}</p>
      {choice('zh-CN', t('language.zh'))}
      {choice('en', t('language.en'))}
    </div>
  )
}

export function DemoStep({ state }: StepProps) {
  const queries = useQueryClient()
  const { message } = App.useApp()
  if (!state.platform.demo) return <p>{t('wizard.demo.none')}</p>
  const remove = () => {
    api.post('demo/remove').then(
      (answer) => {
        void message.success(t('settings.demoGone', { n: answer.removed }))
        void queries.invalidateQueries()
      },
      (error: unknown) => void message.error(sentence(error)),
    )
  }
  return (
    <div className="column">
      <p>{t('wizard.demo')}</p>
      <p className="quiet">{t('wizard.demo.later')}</p>
      <div><Button danger onClick={remove}>{t('settings.demoRemove')}</Button></div>
    </div>
  )
}
