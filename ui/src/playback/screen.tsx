import { useQuery } from '@tanstack/react-query'
import { CameraOutlined, CloseOutlined, FullscreenOutlined, MutedOutlined, SoundOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api } from '../api/client'
import { saveSnapshot } from '../live/picture'
import { sound } from '../live/sound'
import { toggleFull } from '../live/tile'
import { Tool } from '../live/tools'
import { usePicture } from '../live/usePicture'
import type { Deck } from '../media/deck'
import { RecordedPlayer, type RecordedStatus } from '../media/recorded'
import { stepWords } from '../parts/problem'
import { useStore } from '../parts/store'
import { clock, day, iso, zoneName } from '../parts/times'
import { maybe, t, useLanguage } from '../words'
import { Area } from './area'
import type { Region } from './movement'
import type { Thumbnail } from './timeline'

interface ScreenProps {
  channel: string
  deck: Deck
  at: number
  chosen: boolean
  onChoose: () => void
  onRemove: () => void
  onThumb: (thumb: Thumbnail) => void
  /** Have a copy made that this browser shows, from this instant on. */
  onCopy: ((at: number) => void) | null
  /** Rectangles that are drawn on the picture, while they are. */
  area: { regions: Region[]; onRegions: (regions: Region[]) => void } | null
}

/** How far before the wanted instant a ticket reaches: a seek further back asks for a new one. */
const BEFORE = 2 * 86400e6

/** One recorded channel among up to nine. */
export function Screen({ channel, deck, at, chosen, onChoose, onRemove, onThumb, onCopy, area }: ScreenProps) {
  useLanguage()
  const video = useRef<HTMLVideoElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const thumb = useRef(onThumb)
  const begin = useRef(at)
  const [player, setPlayer] = useState<RecordedPlayer | null>(null)
  const { data } = useQuery({ queryKey: ['channels', channel], queryFn: ({ signal }) => api.get('channels/{channel}', { path: { channel }, signal }), staleTime: 30_000 })
  const heard = useStore(sound)
  const picture = usePicture(box, area === null)
  useEffect(() => {
    thumb.current = onThumb
  })
  useEffect(() => {
    if (!video.current) return
    const made = new RecordedPlayer(video.current, {
      channel, at: deck.wall || begin.current, before: BEFORE,
      ask: (wanted) => api.post('channels/{channel}/playback', { path: { channel }, body: { start: iso(wanted - BEFORE) } }),
      onThumb: (taken, asked, blob) => thumb.current({ channel, at: taken, asked, blob }),
    })
    const leave = deck.add(made)
    setPlayer(made)
    return () => {
      leave()
      made.close()
    }
  }, [channel, deck])
  const status = useSyncExternalStore(player?.status.subscribe ?? (() => () => undefined), () => player?.status.get() ?? null)
  const audible = heard.channel === channel
  useEffect(() => player?.setVolume(audible ? heard.volume : 0), [player, audible, heard.volume])
  const name = data?.name ?? channel
  return (
    <section className={`tile ${chosen ? 'chosen' : ''}`} aria-label={name} data-channel={channel} tabIndex={0} onPointerDown={onChoose}>
      <div ref={box} className={`tile-picture ${picture.view.scale > 1 ? 'zoomed' : ''}`} {...picture.handlers} onDoubleClick={() => void toggleFull(box.current?.parentElement)}>
        <video ref={video} muted playsInline style={{ transform: picture.transform }} aria-label={name} data-channel={channel} data-kind="playback" />
        {area && <Area video={video} transform={picture.transform} {...area} />}
        {status && <Overlay status={status} onCopy={onCopy && (() => onCopy(player?.wall ?? at))} />}
      </div>
      <div className="tile-tools" role="toolbar" aria-label={name}>
        <Tool words={status?.hasSound ? t(audible ? 'live.mute' : 'live.sound') : t('live.noSound')} disabled={!status?.hasSound} on={audible} onClick={() => sound.set({ channel: audible ? null : channel })}>
          {audible ? <SoundOutlined /> : <MutedOutlined />}
        </Tool>
        <Tool words={t('live.snapshot')} onClick={() => video.current && saveSnapshot(video.current, name, status?.wall ?? 0)}><CameraOutlined /></Tool>
        <Tool words={t('live.full')} onClick={() => void toggleFull(box.current?.parentElement)}><FullscreenOutlined /></Tool>
        <Tool words={t('live.remove')} onClick={onRemove}><CloseOutlined /></Tool>
      </div>
      <div className="tile-line">
        <span className="name" title={name}>{name}</span>
        {status && status.wall > 0 && <time title={zoneName()} data-wall={status.wall}>{day(status.wall)} {clock(status.wall)}.{String(Math.floor((status.wall / 1e5) % 10))}</time>}
      </div>
    </section>
  )
}

function Overlay({ status, onCopy }: { status: RecordedStatus; onCopy: (() => void) | null }) {
  const { phase, gap, step, params, seeking } = status
  if (gap) {
    return (
      <div className="tile-stamp calm" role="status">
        <b>{maybe(`cause.${gap.cause}`) ?? t('cause.unknown')}</b>
        <span>{clock(gap.start)} – {clock(gap.end)}</span>
      </div>
    )
  }
  if (step) {
    const unsupported = phase === 'unsupported'
    return (
      <div className="tile-stamp" role="status">
        <b>{t(unsupported ? 'play.unsupported' : 'play.lost')}</b>
        <span>{stepWords(step, params)}</span>
        {unsupported && onCopy && <Button size="small" onPointerDown={(event) => event.stopPropagation()} onClick={onCopy}>{t('play.copy')}</Button>}
      </div>
    )
  }
  const words = phase === 'ended' ? t('play.ended') : phase === 'gap' ? t('play.inGap') : seeking ? t('play.seeking') : phase === 'waiting' ? t('play.waiting') : ''
  if (!words) return null
  return <div className={`tile-stamp calm ${seeking || phase === 'waiting' ? 'late' : ''}`} role="status"><span>{words}</span></div>
}
