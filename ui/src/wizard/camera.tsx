import { useQuery } from '@tanstack/react-query'
import { Button, Segmented } from 'antd'
import { useState } from 'react'
import { address, api } from '../api/client'
import type { DeviceMade, Registration, WizardState } from '../api/types'
import { AddForm, Waiting } from '../devices/add'
import { Credentials } from '../devices/credentials'
import { language, maybe, t } from '../words'
import type { StepProps } from './page'

type Menu = WizardState['menus'][number]

/** Fields of a maker's page, by what we call them. */
const FIELDS: [keyof Registration, string][] = [
  ['platform_code', 'server_code'], ['domain', 'domain'], ['host', 'server_address'], ['port', 'server_port'], ['device_code', 'device_code'], ['password', 'password'],
]

function tongue(): 'en' | 'zh' {
  return language() === 'en' ? 'en' : 'zh'
}

function namedBy(menu: Menu | undefined): Partial<Record<keyof Registration, string>> {
  const pairs = FIELDS.map(([ours, theirs]) => [ours, menu?.fields[theirs]?.[tongue()]] as const).filter(([, words]) => words)
  return Object.fromEntries(pairs)
}

export function CameraStep({ state }: StepProps) {
  const [maker, setMaker] = useState(state.menus[0]?.maker ?? 'other')
  const [made, setMade] = useState<DeviceMade | null>(null)
  const menu = state.menus.find((each) => each.maker === maker)
  return (
    <div className="column">
      <p>{t('wizard.camera')}</p>
      <Segmented value={maker} onChange={setMaker} options={state.menus.map((each) => ({ value: each.maker, label: each.name[tongue()] }))} style={{ alignSelf: 'flex-start', maxWidth: '100%', overflowX: 'auto' }} />
      {menu && <MakerPage menu={menu} />}
      {made ? <MadeCamera made={made} menu={menu} onAnother={() => setMade(null)} /> : <div className="panel"><AddForm code="" onMade={setMade} /></div>}
    </div>
  )
}

/** Where the maker hides the page, and what to mind there. */
function MakerPage({ menu }: { menu: Menu }) {
  return (
    <div className="panel column">
      <div><span className="quiet">{t('wizard.camera.menu')}: </span><b>{menu.path[tongue()].join(' › ')}</b></div>
      <ul className="notes">
        {menu.notes.map((code) => <li key={code}>{maybe(`menu.${code.replace(/^menu_/, '')}`) ?? code}</li>)}
        <li className="quiet">{t('wizard.camera.note')}</li>
      </ul>
    </div>
  )
}

function MadeCamera({ made, menu, onAnother }: { made: DeviceMade; menu: Menu | undefined; onAnother: () => void }) {
  return (
    <div className="panel column">
      <h2>{made.name}{made.registration ? `: ${t('device.credentials')}` : ''}</h2>
      {made.registration && <Credentials registration={made.registration} named={namedBy(menu)} />}
      {made.registration && <p className="p3">▲ {t('device.credentialsOnce')}</p>}
      {made.registration && <Waiting device={made.id} />}
      <FirstPicture device={made.id} />
      <div><Button onClick={onAnother}>{t('wizard.camera.another')}</Button></div>
    </div>
  )
}

/** The proof that all of it works: what the camera sees. */
function FirstPicture({ device }: { device: string }) {
  const { data } = useQuery({
    queryKey: ['channels', 'first', device],
    queryFn: ({ signal }) => api.get('channels', { query: { device, limit: 20 }, signal }),
    refetchInterval: (query) => (query.state.data?.items.some((each) => each.state === 'running') ? false : 2000),
  })
  const channel = data?.items.find((each) => each.state === 'running')
  const [gone, setGone] = useState(0)
  if (!channel) return <p className="quiet" role="status">{t('wizard.camera.waiting')}</p>
  // The first key frame may still be on its way: ask again, not for ever.
  return (
    <figure className="first-picture">
      {gone < 10 && <img key={gone} src={`${address('channels/{channel}/snapshot', { path: { channel: channel.id }, query: { width: 640 } })}#${gone}`} alt={channel.name} onError={() => window.setTimeout(() => setGone((now) => now + 1), 1000)} />}
      <figcaption>✓ {t('wizard.camera.works', { name: channel.name })}</figcaption>
    </figure>
  )
}
