import type { ReactNode } from 'react'
import { useSpoken } from '../api/session'
import { t, useLanguage } from '../words'

/** The frame of the pages one sees before signing in. */
export function EntryFrame({ children }: { children: ReactNode }) {
  const now = useLanguage()
  const speak = useSpoken()
  return (
    <main className="entry">
      <div className="entry-box">
        <div className="entry-brand">
          <img src="/icon.svg" width="32" height="32" alt="" />
          {t('app.name')}
        </div>
        {children}
        <div className="entry-foot">
          <span />
          <span className="row">
            <button type="button" lang="zh-CN" className="plain-button" aria-pressed={now === 'zh-CN'} onClick={() => speak('zh-CN')}>{t('language.zh')}</button>
            <button type="button" lang="en" className="plain-button" aria-pressed={now === 'en'} onClick={() => speak('en')}>{t('language.en')}</button>
          </span>
        </div>
      </div>
    </main>
  )
}
