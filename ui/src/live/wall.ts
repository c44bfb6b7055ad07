// What stands on the wall: pure state, kept for the next visit of this window.

import { Store } from '../parts/store'

export const SIZES = [1, 4, 9, 16] as const
export type Size = (typeof SIZES)[number]

export interface WallState {
  size: Size
  tiles: (string | null)[]
  /** The tile keys and double clicks act on. */
  chosen: number
  view: string | null
}

const empty = (size: Size): (string | null)[] => Array.from({ length: size }, () => null)

export const wall = new Store<WallState>({ size: 4, tiles: empty(4), chosen: 0, view: null }, 'safecity.wall')

/** Another number of tiles: what has no place any more is taken from the end, empty places close up only when needed. */
export function resized(tiles: (string | null)[], size: Size): (string | null)[] {
  if (tiles.length <= size) return [...tiles, ...empty(size)].slice(0, size)
  const head = tiles.slice(0, size)
  for (const channel of tiles.slice(size)) {
    const hole = head.indexOf(null)
    if (channel === null || hole < 0) continue
    head[hole] = channel
  }
  return head
}

/** `channel` at `place`; shown elsewhere already, the two tiles change places. */
export function placed(tiles: (string | null)[], channel: string, place: number): (string | null)[] {
  const next = [...tiles]
  const before = next.indexOf(channel)
  if (before >= 0) next[before] = next[place] ?? null
  next[place] = channel
  return next
}

export function resize(size: Size): void {
  wall.set((now) => ({ size, tiles: resized(now.tiles, size), chosen: Math.min(now.chosen, size - 1) }))
}

export function put(channel: string, place: number): void {
  wall.set((now) => ({ tiles: placed(now.tiles, channel, place), chosen: place }))
}

/** Show a channel: where it is already, else in the first empty tile, else in the chosen one. */
export function show(channel: string): void {
  const { tiles, chosen } = wall.get()
  const there = tiles.indexOf(channel)
  const hole = tiles.indexOf(null)
  if (there >= 0) wall.set({ chosen: there })
  else put(channel, tiles[chosen] === null ? chosen : hole >= 0 ? hole : chosen)
}

export function remove(place: number): void {
  wall.set((now) => ({ tiles: now.tiles.map((each, index) => (index === place ? null : each)) }))
}

export function clear(): void {
  wall.set((now) => ({ tiles: empty(now.size), view: null }))
}

export function load(size: number, tiles: (string | null)[], view: string | null): void {
  const fit: Size = SIZES.find((each) => each >= size) ?? 16
  wall.set({ size: fit, tiles: resized(tiles.slice(0, 16), fit), chosen: 0, view })
}

/** The pages of a tour: `channels` in groups of `size`. */
export function pagesOf(channels: string[], size: number): string[][] {
  const pages: string[][] = []
  for (let start = 0; start < channels.length; start += size) pages.push(channels.slice(start, start + size))
  return pages
}

export const DRAGGED = 'application/x-safecity-channel'
