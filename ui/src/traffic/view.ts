// Where the map stands, and what of the earth lies where on it: a plane that touches the globe in the middle of a city.

export type Point = readonly [longitude: number, latitude: number]

export interface View {
  longitude: number
  latitude: number
  /** Degrees of latitude in a pixel. */
  scale: number
}

export interface Size {
  width: number
  height: number
}

export interface Box {
  west: number
  south: number
  east: number
  north: number
}

/** Of latitude. */
export const METRES_OF_DEGREE = 111_195
const CLOSEST = 1e-7
const FARTHEST = 0.05

const shrink = (latitude: number): number => Math.cos((latitude * Math.PI) / 180)

/** The view that shows all of a box. */
export function fitted(box: Box, size: Size): View {
  const latitude = (box.south + box.north) / 2
  const high = (box.north - box.south) / Math.max(size.height - 40, 40)
  const wide = ((box.east - box.west) * shrink(latitude)) / Math.max(size.width - 40, 40)
  return { longitude: (box.west + box.east) / 2, latitude, scale: limited(Math.max(high, wide, CLOSEST * 20)) }
}

function limited(scale: number): number {
  return Math.min(FARTHEST, Math.max(CLOSEST, scale))
}

/** Pixels from the upper left corner. */
export function shown(view: View, size: Size, [longitude, latitude]: Point): [number, number] {
  const x = ((longitude - view.longitude) * shrink(view.latitude)) / view.scale
  return [size.width / 2 + x, size.height / 2 - (latitude - view.latitude) / view.scale]
}

export function placed(view: View, size: Size, x: number, y: number): Point {
  const longitude = view.longitude + ((x - size.width / 2) * view.scale) / shrink(view.latitude)
  return [longitude, view.latitude - (y - size.height / 2) * view.scale]
}

export function moved(view: View, x: number, y: number): View {
  const latitude = Math.min(84, Math.max(-84, view.latitude + y * view.scale))
  return { ...view, latitude, longitude: view.longitude - (x * view.scale) / shrink(view.latitude) }
}

/** Nearer (factor below 1) or farther; what lies at a pixel stays there. */
export function zoomed(view: View, size: Size, factor: number, x = size.width / 2, y = size.height / 2): View {
  const held = placed(view, size, x, y)
  const next = { ...view, scale: limited(view.scale * factor) }
  const [nowX, nowY] = shown(next, size, held)
  return moved(next, x - nowX, y - nowY)
}

/** What is asked of the server: a little more than is seen, and the same for small moves. */
export function asked(view: View, size: Size): Box {
  const high = size.height * view.scale
  const wide = (size.width * view.scale) / shrink(view.latitude)
  const step = 2 ** Math.ceil(Math.log2(Math.max(high, wide) / 2))
  const down = (value: number) => Math.floor(value / step) * step
  const up = (value: number) => Math.ceil(value / step) * step
  return {
    west: Math.max(-180, down(view.longitude - wide / 2)), south: Math.max(-90, down(view.latitude - high / 2)),
    east: Math.min(180, up(view.longitude + wide / 2)), north: Math.min(90, up(view.latitude + high / 2)),
  }
}

export const written = (point: Point): string => `${point[0].toFixed(5)}, ${point[1].toFixed(5)}`

/** `118.37, 31.33`, with any comma or space between; null for anything else. */
export function read(text: string): Point | null {
  const parts = text.trim().split(/[\s,\uff0c]+/)
  const [longitude, latitude] = parts.map(Number)
  if (parts.length !== 2 || longitude === undefined || latitude === undefined) return null
  return Math.abs(longitude) <= 180 && Math.abs(latitude) <= 85 && latitude !== 0 ? [longitude, latitude] : null
}
