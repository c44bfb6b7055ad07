import { useQuery } from '@tanstack/react-query'
import {
  BackwardOutlined, CameraOutlined, CaretLeftOutlined, CaretRightOutlined, ForwardOutlined, FullscreenOutlined, MutedOutlined, PauseOutlined, SoundOutlined,
  ZoomInOutlined, ZoomOutOutlined,
} from '@ant-design/icons'
import { Button } from 'antd'
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useKeys } from '../app/keys'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Timeline as Data } from '../api/types'
import { saveSnapshot } from '../live/picture'
import { sound } from '../live/sound'
import { toggleFull } from '../live/tile'
import { Tool } from '../live/tools'
import { usePicture } from '../live/usePicture'
import { DevicePlayer, type DeviceStatus, type Sessions } from '../media/ondevice'
import { useSecond } from '../parts/age'
import { ProblemNote, sentence, stepWords } from '../parts/problem'
import { useStore } from '../parts/store'
import { clock, day, dayStart, iso, toUs } from '../parts/times'
import { t, useLanguage } from '../words'
import { RangeTools, WhenPicker } from './controls'
import { FetchDialog, FetchList } from './fetch'
import { type Played, type Playing, useInSight } from './page'
import { around, markedOf, merged, type Span, zoomed } from './span'
import { Timeline } from './timeline'

const DAY = 86400e6
/** Devices are asked for a month at most. */
const MOST_DAYS = 31
const SPEEDS = [0.5, 1, 2, 4, 8, 16]

/** What the device itself has recorded of one channel: its timeline, played by the device, fetched from it. */
export function OnDevice({ channel, at, placeRef, span, onSpan, range, onRange, onAt, source }: Playing & { channel: Played }) {
  useLanguage()
  const video = useRef<HTMLVideoElement>(null)
  const shown = useRef<DevicePlayer | null>(null)
  const [first] = useState(at)
  useInSight(first, onSpan)
  const [player, setPlayer] = useState<DevicePlayer | null>(null)
  const [fetching, setFetching] = useState(false)
  const status = useSyncExternalStore(player?.status.subscribe ?? never, player?.status.get ?? nothing)
  const held = useRecordings(channel.id, span)
  const mayExport = useMay('export.make')

  useEffect(() => {
    if (!video.current) return
    const made = new DevicePlayer(video.current, channel.id, sessionsOf(channel.id), first)
    shown.current = made
    setPlayer(made)
    made.seek(first)
    return () => {
      shown.current = null
      made.close()
    }
  }, [channel.id, first])
  const cursor = useCallback(() => shown.current?.wall || first, [first])
  useEffect(() => {
    placeRef.current = cursor
  }, [placeRef, cursor])
  const seek = useCallback(
    (to: number) => {
      const bounded = Math.min(to, Date.now() * 1000 - 2e6)
      shown.current?.seek(bounded)
      onAt(bounded)
    },
    [onAt],
  )
  const marked = markedOf(range)
  const { backwards } = useAbilities(channel.device)
  useDeviceKeys(player, backwards, cursor, seek, onRange, () => mayExport && setFetching(true))
  const lines = useMemo(() => [held.line], [held.line])
  const channels = useMemo(() => [channel], [channel])
  return (
    <>
      <div className="play-screens n1">
        <DeviceScreen channel={channel} video={video} player={player} status={status} cursor={cursor} onAgain={() => seek(cursor())} />
      </div>
      <DeviceControls
        channel={channel} player={player} status={status} span={span} onSpan={onSpan} cursor={cursor} onSeek={seek} range={range} onRange={onRange}
        onFetch={mayExport ? (marked ? () => setFetching(true) : null) : undefined} source={source}
      />
      <HeldNote held={held} />
      <Timeline channels={channels} lines={lines} span={span} onSpan={onSpan} cursor={cursor} playing={player?.playing ?? false} range={range} onSeek={seek} onHover={ignore} thumb={null} />
      <FetchList />
      {fetching && marked && <FetchDialog channel={channel} {...marked} onClose={() => setFetching(false)} />}
    </>
  )
}

/** Devices of 2022 can play backwards, and so can vehicle terminals; these know no slow motion. */
function useAbilities(device: string): { backwards: boolean; speeds: number[] } {
  const { data } = useQuery({ queryKey: ['devices', device], queryFn: ({ signal }) => api.get('devices/{device}', { path: { device }, signal }), staleTime: 60_000, retry: false, enabled: device !== '' })
  const vehicle = data?.kind === 'jt808'
  return { backwards: vehicle || (data?.version ?? '') >= '3', speeds: vehicle ? SPEEDS.filter((each) => each >= 1) : SPEEDS }
}

const never = () => () => undefined
const nothing = () => null
const ignore = () => undefined

function sessionsOf(channel: string): Sessions {
  const standing = (told: { position: string; speed: number; paused: boolean }) => ({ ...told, position: toUs(told.position) })
  return {
    begin: (start, end) => api.post('channels/{channel}/device-playback', { path: { channel }, body: { start: iso(start), end: iso(end) } }),
    address: (session) => api.post('device-playbacks/{session}/address', { path: { session } }),
    see: (session) => api.get('device-playbacks/{session}', { path: { session } }).then(standing),
    steer: (session, act) =>
      api.post('device-playbacks/{session}', { path: { session }, body: act.action === 'seek' ? { action: 'seek', at: iso(act.at) } : act }).then(standing),
    end: (session) => api.remove('device-playbacks/{session}', { path: { session } }),
  }
}

interface Held {
  line: Data | undefined
  asking: boolean
  error: unknown
  retry: () => void
  /** Of so many recordings the device told fewer. */
  short: { received: number; total: number } | null
}

/** Whole days are asked for, so that panning rarely asks again: each question is one to the device. */
function useRecordings(channel: string, span: Span): Held {
  const middle = (span.start + span.end) / 2
  const start = dayStart(Math.max(span.start, middle - (MOST_DAYS / 2 - 1) * DAY))
  const end = dayStart(Math.min(span.end, middle + (MOST_DAYS / 2 - 1) * DAY)) + DAY
  const asked = useQuery({
    queryKey: ['device-recordings', channel, start, end],
    queryFn: ({ signal }) => api.get('channels/{channel}/device-recordings', { path: { channel }, query: { start: iso(start), end: iso(end) }, signal }),
    staleTime: 60_000, retry: false, refetchOnWindowFocus: false,
    placeholderData: (before) => before,
  })
  const line = useMemo(() => {
    if (!asked.data) return undefined
    const pieces = merged(asked.data.items.map((item) => ({ start: toUs(item.start), end: toUs(item.end) })))
    return { channel, pieces: pieces.map((piece) => ({ start_us: piece.start, end_us: piece.end, held: false, origin: '' })), gaps: [] }
  }, [asked.data, channel])
  const { complete = true, received = 0, total = 0 } = asked.data ?? {}
  return { line, asking: asked.isFetching && !asked.data, error: asked.error, retry: () => void asked.refetch(), short: complete ? null : { received, total } }
}

function HeldNote({ held: { line, asking, error, retry, short } }: { held: Held }) {
  if (error) return <ProblemNote error={error} retry={retry} />
  const words = asking ? t('play.deviceAsking') : short ? t('play.deviceShort', short) : line && line.pieces.length === 0 ? t('play.deviceNothing') : ''
  return words ? <p className="play-note quiet" role="status">{words}</p> : null
}

interface ScreenProps {
  channel: Played
  video: RefObject<HTMLVideoElement | null>
  player: DevicePlayer | null
  status: DeviceStatus | null
  cursor: () => number
  onAgain: () => void
}

function DeviceScreen({ channel, video, player, status, cursor, onAgain }: ScreenProps) {
  const box = useRef<HTMLDivElement>(null)
  const heard = useStore(sound)
  const picture = usePicture(box, true)
  const audible = heard.channel === channel.id
  useEffect(() => player?.setVolume(audible ? heard.volume : 0), [player, audible, heard.volume])
  return (
    <section className="tile" aria-label={channel.name} data-channel={channel.id} tabIndex={0}>
      <div ref={box} className={`tile-picture ${picture.view.scale > 1 ? 'zoomed' : ''}`} {...picture.handlers} onDoubleClick={() => void toggleFull(box.current?.parentElement)}>
        <video ref={video} muted playsInline style={{ transform: picture.transform }} aria-label={channel.name} data-channel={channel.id} data-kind="device" />
        {status && <DeviceOverlay status={status} onAgain={onAgain} />}
      </div>
      <div className="tile-tools" role="toolbar" aria-label={channel.name}>
        <Tool words={status?.hasSound ? t(audible ? 'live.mute' : 'live.sound') : t('live.noSound')} disabled={!status?.hasSound} on={audible} onClick={() => sound.set({ channel: audible ? null : channel.id })}>
          {audible ? <SoundOutlined /> : <MutedOutlined />}
        </Tool>
        <Tool words={t('live.snapshot')} onClick={() => video.current && saveSnapshot(video.current, channel.name, cursor())}><CameraOutlined /></Tool>
        <Tool words={t('live.full')} onClick={() => void toggleFull(box.current?.parentElement)}><FullscreenOutlined /></Tool>
      </div>
      <div className="tile-line">
        <span className="badge nowrap">{t('play.onDevice')}</span>
        <span className="name" title={channel.name}>{channel.name}</span>
        <Clock cursor={cursor} />
      </div>
    </section>
  )
}

function Clock({ cursor }: { cursor: () => number }) {
  useSecond()
  const at = cursor()
  return <time title={t('play.deviceTime')} data-wall={Math.round(at)}>≈ {day(at)} {clock(at)}</time>
}

function DeviceOverlay({ status, onAgain }: { status: DeviceStatus; onAgain: () => void }) {
  const { phase, step, params, problem, seeking } = status
  if (phase === 'lost' || phase === 'unsupported') {
    return (
      <div className="tile-stamp" role="status" data-step={step}>
        <b>{t(phase === 'unsupported' ? 'play.unsupported' : 'live.lost')}</b>
        <span>{problem ? sentence(problem) : stepWords(step || 'unknown', params)}</span>
        {phase === 'lost' && <Button size="small" onPointerDown={(event) => event.stopPropagation()} onClick={onAgain}>{t('play.again')}</Button>}
      </div>
    )
  }
  const words = problem ? sentence(problem) : phase === 'opening' ? t('play.deviceOpening') : phase === 'ended' ? t('play.ended') : seeking ? t('play.seeking') : phase === 'waiting' ? t('play.waiting') : ''
  return words ? <div className={`tile-stamp calm ${phase === 'waiting' || seeking ? 'late' : ''}`} role="status"><span>{words}</span></div> : null
}

interface DeviceControlsProps extends Pick<Playing, 'span' | 'onSpan' | 'range' | 'onRange' | 'source'> {
  channel: Played
  player: DevicePlayer | null
  status: DeviceStatus | null
  cursor: () => number
  onSeek: (at: number) => void
  /** Nothing where nothing is marked; absent for those who may not. */
  onFetch: (() => void) | null | undefined
}

function DeviceControls({ channel, player, status, span, onSpan, cursor, onSeek, range, onRange, onFetch, source }: DeviceControlsProps) {
  const { backwards, speeds } = useAbilities(channel.device)
  const speed = status?.speed ?? 1
  const playing = player?.playing ?? false
  const jump = (at: number) => {
    onSeek(at)
    onSpan(around(at, span.end - span.start))
  }
  const middle = () => Math.min(Math.max(cursor(), span.start), span.end)
  return (
    <div className="play-bar" role="toolbar" aria-label={t('page.playback')}>
      <Tool words={`${t('play.skipBack')} (←)`} onClick={() => onSeek(cursor() - 10e6)}><BackwardOutlined /></Tool>
      {backwards && <Tool words={`${t('play.back')} (J)`} on={playing && speed < 0} onClick={() => turn(player, -1)}><CaretLeftOutlined /></Tool>}
      {playing && (speed > 0 || !backwards) ? (
        <Tool words={`${t('play.pause')} (K)`} onClick={() => player?.pause()}><PauseOutlined /></Tool>
      ) : (
        <Tool words={`${t('play.play')} (L)`} onClick={() => turn(player, 1)}><CaretRightOutlined /></Tool>
      )}
      <Tool words={`${t('play.skipForward')} (→)`} onClick={() => onSeek(cursor() + 10e6)}><ForwardOutlined /></Tool>
      <select aria-label={t('play.speed')} value={Math.abs(speed)} onChange={(event) => player?.setSpeed(Number(event.target.value) * Math.sign(speed))}>
        {speeds.map((each) => <option key={each} value={each}>{each}×</option>)}
      </select>
      <span className="sep" />
      <WhenPicker channel={undefined} cursor={cursor} onJump={jump} />
      <span className="sep" />
      <RangeTools range={range} onRange={onRange} cursor={cursor} />
      {onFetch !== undefined && <Button size="small" disabled={!onFetch} onClick={onFetch ?? undefined}>{t('fetch.verb')}</Button>}
      <span className="grow" />
      <span className="row nowrap" style={{ gap: 2 }}>
        {source}
        <Tool words={t('timeline.zoomOut')} onClick={() => onSpan(zoomed(span, 2, middle()))}><ZoomOutOutlined /></Tool>
        <Tool words={t('timeline.zoomIn')} onClick={() => onSpan(zoomed(span, 0.5, middle()))}><ZoomInOutlined /></Tool>
      </span>
    </div>
  )
}

/** Play in this direction at the speed that is set. */
function turn(player: DevicePlayer | null, direction: 1 | -1): void {
  if (!player) return
  const { speed } = player.status.get()
  if (Math.sign(speed) !== direction) player.setSpeed(Math.abs(speed) * direction)
  player.play()
}

function faster(player: DevicePlayer, direction: 1 | -1): void {
  const { speed } = player.status.get()
  const same = player.playing && Math.sign(speed) === direction
  if (same) player.setSpeed((SPEEDS.find((each) => each > Math.abs(speed)) ?? 16) * direction)
  else turn(player, direction)
}

function useDeviceKeys(player: DevicePlayer | null, backwards: boolean, cursor: () => number, seek: (at: number) => void, setRange: Playing['onRange'], openFetch: () => void): void {
  useKeys((event) => {
    if (!player) return false
    switch (event.key) {
      case ' ':
        if (player.playing) player.pause()
        else player.play()
        return true
      case 'j':
        if (backwards) faster(player, -1)
        return true
      case 'k':
        player.pause()
        return true
      case 'l':
        faster(player, 1)
        return true
      case 'ArrowLeft':
        seek(cursor() - 10e6)
        return true
      case 'ArrowRight':
        seek(cursor() + 10e6)
        return true
      case '[':
        setRange((now) => ({ ...now, start: cursor() }))
        return true
      case ']':
        setRange((now) => ({ ...now, end: cursor() }))
        return true
      case 'e':
        openFetch()
        return true
      default:
        return false
    }
  })
}
