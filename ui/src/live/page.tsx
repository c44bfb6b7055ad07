import { type MenuProps } from 'antd'
import { useEffect, useMemo, useRef } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { useKeys } from '../app/keys'
import type { TreeNode } from '../api/types'
import { useStore } from '../parts/store'
import { SideTree } from '../parts/tree'
import { t, useLanguage } from '../words'
import { Bar } from './bar'
import { tell } from './commands'
import { dock } from './dock'
import { sound } from './sound'
import { Tile, toggleFull } from './tile'
import { startAllTour } from './tours'
import { stopTour, tour } from './tour'
import { load, remove, show, wall } from './wall'

function setDock(element: HTMLElement | null): void {
  dock.set({ element })
}

export function LivePage() {
  useLanguage()
  const { channel } = useParams()
  const [query] = useSearchParams()
  const state = useStore(wall)
  const board = useRef<HTMLDivElement>(null)
  const navigate = useNavigate()

  useEffect(() => {
    if (channel) load(1, [channel], null)
  }, [channel])
  const linked = query.get('channels')
  const linkedSize = Number(query.get('size'))
  useEffect(() => {
    const channels = linked?.split(',').filter(Boolean) ?? []
    if (channels.length > 0) load(linkedSize || channels.length, channels, null)
  }, [linked, linkedSize])
  useLiveKeys(board)

  const marks = useMemo(() => new Set(state.tiles.filter((each) => each !== null)), [state.tiles])
  const menu = (node: TreeNode): MenuProps['items'] =>
    node.kind === 'channel'
      ? [
          { key: 'show', label: t('page.live') },
          { key: 'playback', label: t('live.playback') },
          { key: 'window', label: t('verb.newWindow') },
          { key: 'settings', label: t('live.settings') },
        ]
      : [{ key: 'tour', label: t('live.tour.area') }, ...(node.kind === 'device' ? [{ key: 'device', label: t('verb.details') }] : [])]
  const act = (key: string, node: TreeNode) => {
    if (key === 'show') show(node.id)
    else if (key === 'playback') void navigate(`/playback?channels=${node.id}`)
    else if (key === 'window') window.open(`/live/${node.id}`, '_blank', 'noopener')
    else if (key === 'settings') void navigate(`/channels/${node.id}`)
    else if (key === 'device') void navigate(`/devices/${node.id}`)
    else if (key === 'tour') void startAllTour(node)
  }
  return (
    <div className="split">
      <SideTree onOpen={(node) => show(node.id)} menu={menu} onMenu={act} chosen={state.tiles[state.chosen] ?? null} marks={marks} foot={<div className="dock" ref={setDock} />} />
      <div className="wall-page">
        <h1 className="hidden-text">{t('page.live')}</h1>
        <Bar onFull={() => void toggleFull(board.current)} />
        <div className={`wall s${state.size}`} ref={board}>
          {state.tiles.map((each, place) => <Tile key={place} place={place} channel={each} chosen={place === state.chosen} />)}
        </div>
      </div>
    </div>
  )
}

function useLiveKeys(board: React.RefObject<HTMLDivElement | null>): void {
  useKeys((event) => {
    const { chosen, size, tiles } = wall.get()
    if (/^[1-9]$/.test(event.key)) {
      const place = Number(event.key) - 1
      if (place < size) wall.set({ chosen: place })
      return true
    }
    switch (event.key) {
      case 't':
      case 'T':
        if (tour.get().running) stopTour()
        else void startAllTour(null)
        return true
      case 'f':
        void toggleFull(board.current)
        return true
      case 'm':
        sound.set((now) => ({ channel: now.channel === tiles[chosen] ? null : (tiles[chosen] ?? null) }))
        return true
      case 'r':
      case 'R':
        tell(chosen, 'replay')
        return true
      case 's':
        tell(chosen, 'snapshot')
        return true
      case 'z':
        tell(chosen, 'ptz')
        return true
      case 'Delete':
        remove(chosen)
        return true
      default:
        return false
    }
  })
}
