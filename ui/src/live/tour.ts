// 轮巡: the wall shows the channels of a list in turn.

import { Store } from '../parts/store'
import { load, pagesOf, wall } from './wall'

export interface TourState {
  name: string
  channels: string[]
  seconds: number
  page: number
  running: boolean
}

export const tour = new Store<TourState>({ name: '', channels: [], seconds: 10, page: 0, running: false })

let timer: number | undefined

function turn(): void {
  const { channels, page } = tour.get()
  const size = wall.get().size
  const pages = pagesOf(channels, size)
  const next = pages[page % Math.max(1, pages.length)]
  if (!next) return
  load(size, next, null)
}

export function startTour(name: string, channels: string[], seconds: number): void {
  if (channels.length === 0) return
  window.clearInterval(timer)
  tour.set({ name, channels, seconds, page: 0, running: true })
  turn()
  timer = window.setInterval(() => {
    const pages = pagesOf(tour.get().channels, wall.get().size).length
    tour.set((now) => ({ page: (now.page + 1) % Math.max(1, pages) }))
    turn()
  }, Math.max(3, seconds) * 1000)
}

export function stopTour(): void {
  window.clearInterval(timer)
  timer = undefined
  tour.set({ running: false })
}
