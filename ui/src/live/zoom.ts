// Digital zoom: a factor and an offset in fractions of the box, kept inside it.

export interface View {
  scale: number
  x: number
  y: number
}

export const WHOLE: View = { scale: 1, x: 0, y: 0 }
const MOST = 8

function inside(view: View): View {
  const least = 1 - view.scale
  return { scale: view.scale, x: Math.min(0, Math.max(least, view.x)), y: Math.min(0, Math.max(least, view.y)) }
}

/** Zoom by `factor` so that the point under the pointer (fractions of the box) stays where it is. */
export function zoomAt(view: View, factor: number, px: number, py: number): View {
  const scale = Math.min(MOST, Math.max(1, view.scale * factor))
  const ratio = scale / view.scale
  return inside({ scale, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio })
}

export function drag(view: View, dx: number, dy: number): View {
  return inside({ scale: view.scale, x: view.x + dx, y: view.y + dy })
}

export function transform(view: View): string {
  return view.scale === 1 ? '' : `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`
}
