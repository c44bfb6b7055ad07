import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Me } from '../api/types'
import { useSpoken } from '../api/session'
import { SignIn } from '../entry/signin'
import { look } from '../look/theme'
import { useStore } from '../parts/store'
import { t, useLanguage } from '../words'
import { Duty } from './duty'
import { install } from './install'
import { carried, flush } from './shift'
import { Tasks } from './tasks'
import { usePlace } from './place'

const RETRY_MS = 15_000

/** For the hand of an officer: on and off duty, help, alarms and incidents near. Works on without a network. */
export function PhonePage({ me }: { me: UseQueryResult<Me | null> }) {
  const spoken = useLanguage()
  const speak = useSpoken()
  const { name } = useStore(look)
  const shift = useStore(carried)
  const place = usePlace(shift)
  const [signing, setSigning] = useState(false)
  useEffect(install, [])
  useEffect(() => {
    const again = () => void flush()
    const timer = window.setInterval(again, RETRY_MS)
    window.addEventListener('online', again)
    again()
    return () => {
      window.clearInterval(timer)
      window.removeEventListener('online', again)
    }
  }, [])
  if (!me.data && shift.token === '' && !me.isPending && !me.isError) return <SignIn />
  if (!me.data && signing) return <SignIn />
  return (
    <main className="phone">
      <header className="row">
        <h1 className="grow">{t('phone.title')}</h1>
        <button type="button" className="phone-small" onClick={() => look.set({ name: name === 'dark' ? 'light' : 'dark' })} aria-label={t('phone.look')}>{name === 'dark' ? '☀' : '☾'}</button>
        <button type="button" className="phone-small" lang={spoken === 'en' ? 'zh-CN' : 'en'} onClick={() => speak(spoken === 'en' ? 'zh-CN' : 'en')}>{t(spoken === 'en' ? 'language.zh' : 'language.en')}</button>
      </header>
      <Duty shift={shift} place={place} signedIn={Boolean(me.data)} />
      {me.data ? <Tasks place={place.fix} /> : !me.isPending && <button type="button" className="phone-key" onClick={() => setSigning(true)}>{t('phone.tasksNeedSession')}</button>}
    </main>
  )
}
