import { useQuery } from '@tanstack/react-query'
import { memo, useEffect, useRef, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { PlayerStatus } from '../media/status'
import { stepWords } from '../parts/problem'
import { Dot } from '../parts/state'
import { useStore } from '../parts/store'
import { clock, day, span, zoneName } from '../parts/times'
import { t, useLanguage } from '../words'
import { onTile } from './commands'
import { Ptz } from './ptz'
import { Replay } from './replay'
import { sound } from './sound'
import { Tools } from './tools'
import { usePicture } from './usePicture'
import { usePlayer } from './usePlayer'
import { DRAGGED, put, remove, wall } from './wall'

export interface TileProps {
  place: number
  channel: string | null
  chosen: boolean
}

/** One place of the wall: takes drops, can be chosen, shows a channel or says how to begin. */
export const Tile = memo(function Tile({ place, channel, chosen }: TileProps) {
  useLanguage()
  const [over, setOver] = useState(false)
  const [phase, setPhase] = useState('')
  return (
    <section
      className={`tile ${phase} ${chosen ? 'chosen' : ''} ${over ? 'over' : ''}`}
      aria-label={t('live.tile', { n: place + 1 })}
      data-place={place}
      data-channel={channel ?? ''}
      tabIndex={0}
      onPointerDown={() => wall.set({ chosen: place })}
      onFocus={() => wall.get().chosen !== place && wall.set({ chosen: place })}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(DRAGGED)) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false)
        const dropped = event.dataTransfer.getData(DRAGGED)
        if (!dropped) return
        event.preventDefault()
        put(dropped, place)
      }}
    >
      {channel ? <Shown key={channel} channel={channel} place={place} chosen={chosen} onPhase={setPhase} /> : <div className="tile-empty">{t(matchMedia('(hover: none)').matches ? 'live.emptyTouch' : 'live.empty')}</div>}
    </section>
  )
})

function Shown({ channel, place, chosen, onPhase }: { channel: string; place: number; chosen: boolean; onPhase: (phase: string) => void }) {
  const video = useRef<HTMLVideoElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const [forced, setForced] = useState<'auto' | 'main' | 'sub'>('auto')
  const [replay, setReplay] = useState<number | null>(null)
  const [ptz, setPtz] = useState(false)
  const { player, status } = usePlayer(channel, video, box, forced)
  const { data } = useQuery({ queryKey: ['channels', channel], queryFn: ({ signal }) => api.get('channels/{channel}', { path: { channel }, signal }), staleTime: 30_000 })
  const maySteer = useMay('ptz.steer')
  const heard = useStore(sound)
  const picture = usePicture(box, !ptz)
  const name = data?.name ?? channel

  useEffect(() => onPhase(status.phase), [status.phase, onPhase])
  useEffect(() => () => onPhase(''), [onPhase])
  useEffect(() => player?.setVolume(heard.channel === channel && replay === null ? heard.volume : 0), [player, heard, channel, replay])
  useEffect(
    () => onTile(place, (command) => {
      if (command === 'replay') setReplay((now) => (now === null ? Date.now() * 1000 - 30e6 : null))
      else if (command === 'ptz') setPtz((now) => !now)
    }),
    [place],
  )

  return (
    <>
      <div
        ref={box}
        className={`tile-picture ${ptz ? 'steering' : ''} ${picture.view.scale > 1 ? 'zoomed' : ''}`}
        onDoubleClick={() => void toggleFull(box.current?.parentElement)}
        {...picture.handlers}
      >
        <video ref={video} muted playsInline autoPlay style={{ transform: picture.transform }} aria-label={name} data-channel={channel} data-kind="live" />
        {replay !== null && <Replay channel={channel} from={replay} onEnd={() => setReplay(null)} />}
        {replay === null && <Stamp status={status} />}
        {data?.ptz && maySteer && (ptz || chosen) && <Ptz channel={channel} name={name} box={box} active={chosen} open={ptz} onClose={() => setPtz(false)} />}
        {picture.view.scale > 1 && (
          <button type="button" className="tile-mark" onPointerDown={(event) => event.stopPropagation()} onClick={picture.reset} title={t('live.zoomReset')}>{t('live.zoom', { n: picture.view.scale.toFixed(1) })}</button>
        )}
      </div>
      <Tools
        channel={channel} name={name} video={video} status={status} hasPtz={data?.ptz ?? false} recording={data?.recording ?? false}
        ptz={ptz} onPtz={() => setPtz(!ptz)} replay={replay !== null} quality={forced} onQuality={setForced} place={place}
        onReplay={() => setReplay(replay === null ? Date.now() * 1000 - 30e6 : null)}
        onFull={() => void toggleFull(box.current?.parentElement)} onRemove={() => remove(place)}
      />
      <Line name={name} status={status} simulated={data?.simulated ?? false} recording={data?.recording ?? false} />
    </>
  )
}

export async function toggleFull(element: Element | null | undefined): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen()
    else await element?.requestFullscreen()
  } catch {
    // the browser refused (a phone, or no gesture): nothing is lost
  }
}

/** Name, clock, state and age of the last frame, in one line. */
function Line({ name, status, simulated, recording }: { name: string; status: PlayerStatus; simulated: boolean; recording: boolean }) {
  const bad = status.phase !== 'running'
  return (
    <div className="tile-line" data-phase={status.phase}>
      <Dot state={status.phase} />
      <span className="name" title={name}>{name}</span>
      {recording && <span className="badge rec optional" title={t('live.recording')}>R</span>}
      {simulated && <span className="badge sim optional" title={t('word.simulated')}>S</span>}
      {status.quality === 'sub' && <span className="quiet optional">{t('word.sub')}</span>}
      {status.wall > 0 && <time title={`${day(status.wall)} ${zoneName()}`}>{clock(status.wall)}</time>}
      <span className={`age ${bad ? 'bad' : 'quiet'}`} title={t('live.age')}>{status.age < 0 ? '–' : status.age < 1 ? '<1 s' : span(status.age)}</span>
    </div>
  )
}

/** What stands over a picture that is not alive. */
function Stamp({ status }: { status: PlayerStatus }) {
  const words = stepWords(status.step, status.params)
  if (status.phase === 'running') return null
  if (status.phase === 'opening' || status.phase === 'idle') {
    return <div className="tile-stamp calm" role="status"><span>{words || t('live.opening')}</span></div>
  }
  const title = status.phase === 'stale' ? t('live.stale', { age: span(status.age) }) : t(status.phase === 'unsupported' ? 'play.unsupported' : 'live.lost')
  const seconds = status.params['seconds']
  return (
    <div className="tile-stamp" role="status" data-step={status.step}>
      <b>{title}</b>
      {words && status.step !== 'no_frame' && <span>{words}</span>}
      {typeof seconds === 'number' && status.phase === 'lost' && <span className="quiet">{t('live.again', { seconds })}</span>}
    </div>
  )
}
