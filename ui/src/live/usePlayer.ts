import { type RefObject, useEffect, useState, useSyncExternalStore } from 'react'
import { api } from '../api/client'
import { LivePlayer } from '../media/live'
import { NOTHING, type PlayerStatus } from '../media/status'

/** Narrower than this (device pixels) the sub stream is as good. */
const SUB_BELOW = 900

export function wantedQuality(width: number, ratio: number): 'main' | 'sub' {
  return width * ratio < SUB_BELOW ? 'sub' : 'main'
}

export function usePlayer(
  channel: string,
  video: RefObject<HTMLVideoElement | null>,
  box: RefObject<HTMLElement | null>,
  forced: 'auto' | 'main' | 'sub',
): { player: LivePlayer | null; status: PlayerStatus } {
  const [player, setPlayer] = useState<LivePlayer | null>(null)

  useEffect(() => {
    const element = video.current
    if (!element) return
    const width = box.current?.clientWidth ?? 0
    const made = new LivePlayer(element, {
      channel,
      quality: forced === 'auto' ? wantedQuality(width, window.devicePixelRatio) : forced,
      ask: (quality) => api.post('channels/{channel}/live', { path: { channel }, body: { quality } }),
    })
    setPlayer(made)
    return () => {
      setPlayer(null)
      made.close()
    }
    // The quality may change under a running player (below); only another channel needs another player.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [channel, video, box])

  useEffect(() => {
    const element = box.current
    if (!player || !element) return
    if (forced !== 'auto') {
      player.setQuality(forced)
      return
    }
    let timer: number | undefined
    // Dragging a window edge must not reopen sixteen streams at each pixel.
    const watch = new ResizeObserver(() => {
      window.clearTimeout(timer)
      timer = window.setTimeout(() => player.setQuality(wantedQuality(element.clientWidth, window.devicePixelRatio)), 600)
    })
    watch.observe(element)
    return () => {
      window.clearTimeout(timer)
      watch.disconnect()
    }
  }, [player, forced, box])

  const status = useSyncExternalStore(player?.status.subscribe ?? never, player?.status.get ?? nothing)
  return { player, status }
}

const never = () => () => undefined
const nothing = () => NOTHING
