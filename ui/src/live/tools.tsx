import {
  AimOutlined, CameraOutlined, CloseOutlined, EllipsisOutlined, FullscreenOutlined, MutedOutlined, RollbackOutlined, SoundOutlined,
} from '@ant-design/icons'
import { App, Dropdown, type MenuProps } from 'antd'
import { type ReactNode, type RefObject, useEffect } from 'react'
import { useNavigate } from 'react-router'
import { useQueryClient } from '@tanstack/react-query'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { PlayerStatus } from '../media/status'
import { sentence } from '../parts/problem'
import { useStore } from '../parts/store'
import { t } from '../words'
import { onTile } from './commands'
import { saveSnapshot } from './picture'
import { sound } from './sound'

interface ToolsProps {
  channel: string
  place: number
  name: string
  video: RefObject<HTMLVideoElement | null>
  status: PlayerStatus
  hasPtz: boolean
  recording: boolean
  ptz: boolean
  replay: boolean
  quality: 'auto' | 'main' | 'sub'
  onPtz: () => void
  onReplay: () => void
  onFull: () => void
  onRemove: () => void
  onQuality: (quality: 'auto' | 'main' | 'sub') => void
}

export function Tool({ words, onClick, on, disabled, children }: { words: string; onClick: () => void; on?: boolean; disabled?: boolean; children: ReactNode }) {
  return (
    <button type="button" className="plain-button" aria-label={words} title={words} aria-pressed={on} disabled={disabled} onClick={onClick}>
      {children}
    </button>
  )
}

export function Tools(props: ToolsProps) {
  const { channel, name, video, status, place } = props
  const heard = useStore(sound)
  const audible = heard.channel === channel
  const may = useMay('ptz.steer')
  const snapshot = () => video.current && saveSnapshot(video.current, name, status.wall)

  useEffect(
    () => onTile(place, (command) => {
      if (command === 'snapshot' && video.current) saveSnapshot(video.current, name, status.wall)
    }),
    [place, video, name, status.wall],
  )

  return (
    <div className="tile-tools" role="toolbar" aria-label={name} onDoubleClick={(event) => event.stopPropagation()}>
      {audible && (
        <input
          type="range" min="0" max="1" step="0.05" value={heard.volume} aria-label={t('live.volume')}
          onChange={(event) => sound.set({ volume: Number(event.target.value) })}
        />
      )}
      <Tool
        words={status.hasSound ? t(audible ? 'live.mute' : 'live.sound') : t('live.noSound')} disabled={!status.hasSound} on={audible}
        onClick={() => sound.set({ channel: audible ? null : channel })}
      >
        {audible ? <SoundOutlined /> : <MutedOutlined />}
      </Tool>
      {props.hasPtz && may && <Tool words={t(props.ptz ? 'live.ptz.off' : 'live.ptz.on')} on={props.ptz} onClick={props.onPtz}><AimOutlined /></Tool>}
      <Tool words={t(props.replay ? 'live.backToLive' : 'live.replay')} on={props.replay} onClick={props.onReplay}><RollbackOutlined /></Tool>
      <Tool words={t('live.snapshot')} onClick={snapshot}><CameraOutlined /></Tool>
      <Tool words={t('live.full')} onClick={props.onFull}><FullscreenOutlined /></Tool>
      <More {...props} />
      <Tool words={t('live.remove')} onClick={props.onRemove}><CloseOutlined /></Tool>
    </div>
  )
}

function More({ channel, recording, quality, onQuality }: ToolsProps) {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const mayRecord = useMay('recording.start')
  const tick = (value: string, words: string) => (quality === value ? `${words} ✓` : words)
  const items: MenuProps['items'] = [
    { key: 'playback', label: t('live.playback') },
    { key: 'window', label: t('verb.newWindow') },
    { key: 'settings', label: t('live.settings') },
    ...(mayRecord ? [{ key: 'record', label: t(recording ? 'live.recordStop' : 'live.record') }] : []),
    { type: 'divider' },
    { key: 'auto', label: tick('auto', t('live.quality.auto')) },
    { key: 'main', label: tick('main', t('word.main')) },
    { key: 'sub', label: tick('sub', t('word.sub')) },
  ]
  const record = async () => {
    try {
      if (recording) await api.remove('channels/{channel}/recording', { path: { channel } })
      else await api.post('channels/{channel}/recording', { path: { channel }, body: {} })
      await queries.invalidateQueries({ queryKey: ['channels', channel] })
      void message.success(t(recording ? 'live.recordStop' : 'live.recording'))
    } catch (error) {
      void message.error(sentence(error))
    }
  }
  const act = ({ key }: { key: string }) => {
    if (key === 'playback') void navigate(`/playback?channels=${channel}`)
    else if (key === 'window') window.open(`/live/${channel}`, '_blank', 'noopener')
    else if (key === 'settings') void navigate(`/channels/${channel}`)
    else if (key === 'record') void record()
    else onQuality(key as 'auto' | 'main' | 'sub')
  }
  return (
    <Dropdown trigger={['click']} menu={{ items, onClick: act }}>
      <button type="button" className="plain-button" aria-label={t('rail.more')} title={t('rail.more')}><EllipsisOutlined /></button>
    </Dropdown>
  )
}
