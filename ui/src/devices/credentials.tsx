import { CopyOutlined } from '@ant-design/icons'
import { App } from 'antd'
import type { DeviceMade, Registration } from '../api/types'
import { type Key, t } from '../words'

const ROWS: [keyof Registration, Key][] = [
  ['platform_code', 'device.cred.server'], ['domain', 'device.cred.domain'], ['host', 'device.cred.host'], ['port', 'device.cred.port'],
  ['device_code', 'device.cred.code'], ['username', 'device.cred.username'], ['password', 'device.cred.password'], ['transport', 'device.cred.transport'],
]

/** Whether it comes with a password: terminals by JT/T 808 are known by their number and by a code they are given. */
export function provesItself(kind: DeviceMade['kind']): boolean {
  return kind === 'gb28181' || kind === 'gat1400' || kind === 'http'
}

/** Of what speaks no SIP. */
export function plainNames(kind: DeviceMade['kind']): Partial<Record<keyof Registration, string>> {
  if (kind !== 'http' && kind !== 'jt808') return {}
  return { host: t('word.address'), port: t('device.cred.plainPort'), password: t('device.cred.token'), device_code: t(kind === 'http' ? 'device.beacon' : 'device.phone') }
}

/** What somebody types into the device, each line copied by one click. `named`: the words of its maker where they are known. */
export function Credentials({ registration, named = {} }: { registration: Registration; named?: Partial<Record<keyof Registration, string>> }) {
  const { message } = App.useApp()
  const copy = async (text: string) => {
    if (await copyText(text)) void message.success(t('verb.copied'))
  }
  return (
    <dl className="credential">
      {ROWS.filter(([key]) => registration[key] !== undefined && registration[key] !== '').map(([key, words]) => (
        <div key={key} style={{ display: 'contents' }}>
          <dt>{named[key] ?? t(words)}</dt>
          <dd className="mono">{String(registration[key])}</dd>
          <button type="button" className="plain-button" aria-label={`${t('verb.copy')}: ${t(words)}`} title={t('verb.copy')} onClick={() => void copy(String(registration[key]))}><CopyOutlined /></button>
        </div>
      ))}
    </dl>
  )
}

/** Also on pages opened by http, where the clipboard interface does not exist. */
export async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      // not allowed: the old way may be
    }
  }
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
