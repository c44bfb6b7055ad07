import { Button, Segmented } from 'antd'
import { useState } from 'react'
import type { Device, Registration } from '../api/types'
import { AddForm } from '../devices/add'
import { Credentials } from '../devices/credentials'
import { language, t } from '../words'
import type { StepProps } from './page'

type Made = Device & { registration?: Registration | null }

export function CameraStep({ state }: StepProps) {
  const [maker, setMaker] = useState(state.menus[0]?.maker ?? 'other')
  const [made, setMade] = useState<Made | null>(null)
  const tongue = language() === 'en' ? 'en' : 'zh'
  const menu = state.menus.find((each) => each.maker === maker)
  return (
    <div className="column">
      <p>{t('wizard.camera')}</p>
      <Segmented value={maker} onChange={setMaker} options={state.menus.map((each) => ({ value: each.maker, label: each.name[tongue] ?? each.maker }))} style={{ alignSelf: 'flex-start', maxWidth: '100%', overflowX: 'auto' }} />
      {menu && <p><span className="quiet">{t('wizard.camera.menu')}: </span><b>{(menu.path[tongue] ?? []).join(' › ')}</b> <span className="quiet">{t('wizard.camera.note')}</span></p>}
      {made ? (
        <div className="column">
          <h2>{made.name}: {t('device.credentials')}</h2>
          {made.registration && <Credentials registration={made.registration} />}
          {made.registration && <p className="p3">▲ {t('device.credentialsOnce')}</p>}
          <div><Button onClick={() => setMade(null)}>{t('wizard.camera.another')}</Button></div>
        </div>
      ) : (
        <div className="panel"><AddForm code="" onMade={setMade} /></div>
      )}
    </div>
  )
}
