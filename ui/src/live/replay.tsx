import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api } from '../api/client'
import { RecordedPlayer } from '../media/recorded'
import { stepWords } from '../parts/problem'
import { useStore } from '../parts/store'
import { clock, iso } from '../parts/times'
import { t } from '../words'
import { sound } from './sound'

/** The last thirty seconds over the live picture, from the recording. */
export function Replay({ channel, from, onEnd }: { channel: string; from: number; onEnd: () => void }) {
  const video = useRef<HTMLVideoElement>(null)
  const [player, setPlayer] = useState<RecordedPlayer | null>(null)
  useEffect(() => {
    if (!video.current) return
    const made = new RecordedPlayer(video.current, {
      channel, at: from, before: 10e6,
      ask: () => api.post('channels/{channel}/playback', { path: { channel }, body: { start: iso(from - 10e6) } }),
    })
    made.play(1, 1)
    setPlayer(made)
    return () => made.close()
  }, [channel, from])
  const status = useSyncExternalStore(player?.status.subscribe ?? (() => () => undefined), () => player?.status.get() ?? null)
  const heard = useStore(sound)
  useEffect(() => player?.setVolume(heard.channel === channel ? heard.volume : 0), [player, heard, channel])
  const over = status !== null && ((status.phase === 'ended' && status.wall > 0) || status.wall > from + 32e6)
  useEffect(() => {
    if (over) onEnd()
  }, [over, onEnd])
  const words = status?.step ? stepWords(status.step, status.params) : status?.phase === 'ended' ? t('live.replayNothing') : ''
  return (
    <>
      <video ref={video} muted playsInline data-channel={channel} data-kind="replay" />
      <span className="tile-mark p4">{t('live.replayMark')} {status && status.wall > 0 ? clock(status.wall) : ''}</span>
      {words && <div className="tile-stamp"><span>{words}</span></div>}
    </>
  )
}
