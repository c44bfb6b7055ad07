// Draws the roads, what is driven on them, and what somebody asked for. Colour says how fast; width and dashes say it too.

import type { Closure, Condition, Jam, RoadIncident, Toll, Way } from '../api/types'
import { METRES_OF_DEGREE, type Point, shown, type Size, type View } from './view'

export interface Vehicle {
  id: string
  name: string
  place: Point
  direction: number | null
  /** With a ring, and with its name however far away. */
  chosen?: boolean
}

/** A place with an edge: see `FenceOut`. */
export interface Bounded {
  kind: 'circle' | 'rectangle' | 'polygon' | 'route'
  points: Point[]
  metres: number
  name: string
  /** Drawn strong. */
  chosen: boolean
}

/** Where something was. Nothing is known of how it came to a step with a gap. */
export interface Trail {
  name: string
  steps: { place: Point; gap: boolean }[]
  stands: Point[]
}

/** A place by its name, with a dot. */
export interface Named {
  name: string
  place: Point
}

export interface Scene {
  places?: Named[]
  fences?: Bounded[]
  trails?: Trail[]
  roads: Condition[]
  jams: Jam[]
  incidents?: RoadIncident[]
  closures: Closure[]
  tolls?: Toll[]
  vehicles: Vehicle[]
  ways: Way[]
  /** Which of the ways is meant. */
  chosen: number
  from: Point | null
  to: Point | null
  /** The closure that is being drawn. */
  draft: Point[]
  /** A cross in the middle: the map is steered by keys. */
  cross: boolean
}

const WIDTHS = [2, 5, 4.5, 4, 3.5, 3, 2.5, 2, 1.5, 1.5]

type Colours = Record<'text' | 'ground' | 'line' | 'free' | 'blue' | 'yellow' | 'orange' | 'red' | 'outline' | 'panel', string>

function colours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const get = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: get('--text'), ground: get('--ground'), line: get('--line-strong'), free: get('--text-3'), blue: get('--blue'), yellow: get('--yellow'),
    orange: get('--orange'), red: get('--red'), outline: get('--outline'), panel: get('--panel'),
  }
}

/** How a level of service looks: [colour, times the width of the road, dashes]. */
function looks(level: string, colour: Colours): [string, number, number[]] {
  if (level === 'A' || level === 'B') return [colour.blue, 1, []]
  if (level === 'C') return [colour.yellow, 1.2, []]
  if (level === 'D') return [colour.orange, 1.4, []]
  if (level === 'E') return [colour.red, 1.6, []]
  if (level === 'F') return [colour.red, 2, [7, 3]]
  return [colour.line, 1, []]
}

export function paint(canvas: HTMLCanvasElement, view: View, scene: Scene): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const ratio = window.devicePixelRatio
  const size = { width: canvas.clientWidth, height: canvas.clientHeight }
  if (canvas.width !== Math.round(size.width * ratio) || canvas.height !== Math.round(size.height * ratio)) {
    canvas.width = Math.round(size.width * ratio)
    canvas.height = Math.round(size.height * ratio)
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, size.width, size.height)
  context.lineJoin = 'round'
  context.lineCap = 'round'
  const pen = new Pen(context, view, size, colours())
  // Metres in a pixel decide how thick a road is, and whether both directions have room beside one another.
  const near = view.scale < 2e-5
  const grow = near ? 1.6 : view.scale < 6e-5 ? 1 : 0.6
  for (const measured of [false, true]) {
    for (const road of scene.roads) {
      const { level, road_class: kind, closed } = road.properties
      if ((level !== '' || closed) === measured) pen.road(road.geometry.coordinates, kind, level, closed, grow, near)
    }
  }
  for (const fence of scene.fences ?? []) pen.fence(fence)
  for (const closure of scene.closures) pen.closure(closure.line.coordinates)
  for (const toll of scene.tolls ?? []) pen.toll(toll)
  scene.trails?.forEach((trail, number) => pen.trail(trail, number))
  scene.ways.forEach((way, number) => {
    if (number !== scene.chosen) pen.way(way.geometry.coordinates, false)
  })
  const chosen = scene.ways[scene.chosen]
  if (chosen) pen.way(chosen.geometry.coordinates, true)
  for (const jam of scene.jams) pen.jam([jam.longitude, jam.latitude])
  for (const one of scene.incidents ?? []) pen.incident([one.longitude, one.latitude], one.kind === 'accident')
  for (const vehicle of scene.vehicles) pen.vehicle(vehicle, near)
  for (const place of scene.places ?? []) pen.named(place)
  if (scene.draft.length > 0) pen.closure(scene.draft.map((point) => [...point]))
  if (scene.from) pen.mark(scene.from, 'A')
  if (scene.to) pen.mark(scene.to, 'B')
  if (scene.cross) pen.cross()
}

class Pen {
  private readonly written: { x: number; y: number; wide: number }[] = []

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly view: View,
    private readonly size: Size,
    private readonly colour: Colours,
  ) {}

  private at(point: number[]): [number, number] {
    return shown(this.view, this.size, [point[0] ?? 0, point[1] ?? 0])
  }

  /** Along a line, or `beside` pixels to the right of it. */
  private path(line: number[][], beside = 0): void {
    this.context.beginPath()
    let before: [number, number] | null = null
    line.forEach((point, index) => {
      const [x, y] = this.at(point)
      const other = line[index + 1] ? this.at(line[index + 1]!) : before
      let [dx, dy] = [0, 0]
      if (other && beside) {
        const sign = line[index + 1] ? 1 : -1
        const length = Math.hypot(other[0] - x, other[1] - y) || 1
        dx = (-(other[1] - y) / length) * beside * sign
        dy = ((other[0] - x) / length) * beside * sign
      }
      if (index === 0) this.context.moveTo(x + dx, y + dy)
      else this.context.lineTo(x + dx, y + dy)
      before = [x, y]
    })
  }

  road(line: number[][], kind: number, level: string, closed: boolean, grow: number, near: boolean): void {
    const [stroke, thicker, dashes] = looks(level, this.colour)
    const width = (WIDTHS[kind] ?? 2) * grow
    this.path(line, near ? width * 0.8 : level ? 1.2 : 0)
    this.context.strokeStyle = stroke
    this.context.lineWidth = width * thicker
    this.context.setLineDash(dashes)
    this.context.stroke()
    this.context.setLineDash([])
    if (closed) this.closure(line)
  }

  way(line: number[][], chosen: boolean): void {
    this.path(line)
    if (chosen) {
      this.context.strokeStyle = this.colour.ground
      this.context.lineWidth = 9
      this.context.stroke()
    }
    this.context.strokeStyle = chosen ? this.colour.outline : this.colour.free
    this.context.lineWidth = chosen ? 4 : 2.5
    this.context.setLineDash(chosen ? [] : [8, 6])
    this.context.stroke()
    this.context.setLineDash([])
  }

  fence(fence: Bounded): void {
    const { context, colour } = this
    const [first, second] = fence.points
    if (!first) return
    const pixels = fence.metres / METRES_OF_DEGREE / this.view.scale
    context.beginPath()
    if (fence.kind === 'circle') {
      const [x, y] = this.at([...first])
      context.arc(x, y, Math.max(pixels, 3), 0, 7)
    } else if (fence.kind === 'rectangle' && second) {
      const [left, top] = this.at([...first])
      const [right, bottom] = this.at([...second])
      context.rect(left, top, right - left, bottom - top)
    } else {
      fence.points.forEach((point, index) => {
        const [x, y] = this.at([...point])
        if (index === 0) context.moveTo(x, y)
        else context.lineTo(x, y)
      })
      if (fence.kind === 'polygon' && fence.points.length > 2) context.closePath()
    }
    const stroke = fence.chosen ? colour.outline : colour.yellow
    context.strokeStyle = stroke
    context.fillStyle = stroke
    context.globalAlpha = fence.chosen ? 0.22 : 0.1
    if (fence.kind === 'route') {
      context.lineWidth = Math.max(pixels, 2)
      context.stroke()
    } else context.fill()
    context.globalAlpha = 1
    context.lineWidth = fence.chosen ? 2.5 : 1.5
    context.setLineDash(fence.kind === 'route' ? [10, 5] : [])
    context.stroke()
    context.setLineDash([])
    if (fence.name) {
      const [x, y] = this.at([...first])
      this.label(fence.name, x + 8, y + 20)
    }
    if (fence.chosen) {
      for (const point of fence.points) {
        const [x, y] = this.at([...point])
        context.fillStyle = stroke
        context.fillRect(x - 3, y - 3, 6, 6)
      }
    }
  }

  /** What was told as a line, what nobody knows as dashes. */
  trail(trail: Trail, number: number): void {
    const { context, colour } = this
    const stroke = [colour.blue, colour.orange, colour.yellow, colour.red, colour.text][number % 5]!
    const line = (gap: boolean) => {
      context.beginPath()
      trail.steps.forEach((step, index) => {
        const before = trail.steps[index - 1]
        const [x, y] = this.at([...step.place])
        if (!before || step.gap !== gap) context.moveTo(x, y)
        else {
          if (gap) context.moveTo(...this.at([...before.place]))
          context.lineTo(x, y)
        }
      })
    }
    line(false)
    context.strokeStyle = colour.ground
    context.lineWidth = 6
    context.stroke()
    context.strokeStyle = stroke
    context.lineWidth = 3
    context.stroke()
    line(true)
    context.lineWidth = 1.5
    context.setLineDash([3, 7])
    context.stroke()
    context.setLineDash([])
    for (const place of trail.stands) {
      const [x, y] = this.at([...place])
      context.beginPath()
      context.arc(x, y, 7, 0, 7)
      context.fillStyle = colour.panel
      context.fill()
      context.lineWidth = 2
      context.stroke()
      context.fillStyle = colour.text
      context.fillRect(x - 3, y - 3, 2, 6)
      context.fillRect(x + 1, y - 3, 2, 6)
    }
  }

  closure(line: number[][]): void {
    this.path(line)
    this.context.strokeStyle = this.colour.text
    this.context.lineWidth = 3
    this.context.setLineDash([2, 7])
    this.context.stroke()
    this.context.setLineDash([])
    const middle = line[Math.floor(line.length / 2)]
    if (!middle) return
    const [x, y] = this.at(middle)
    this.context.beginPath()
    this.context.arc(x, y, 7, 0, 7)
    this.context.fillStyle = this.colour.panel
    this.context.fill()
    this.context.lineWidth = 2
    this.context.stroke()
    this.context.beginPath()
    this.context.moveTo(x - 4, y)
    this.context.lineTo(x + 4, y)
    this.context.stroke()
  }

  /** A border as a ring of dots, a gantry as a beam on two posts. */
  toll(toll: Toll): void {
    const { context, colour } = this
    context.strokeStyle = toll.enabled ? colour.text : colour.free
    if (toll.border.length > 0) {
      this.path([...toll.border, toll.border[0]!])
      context.lineWidth = 2.5
      context.setLineDash([1, 6])
      context.stroke()
      context.setLineDash([])
      const [x, y] = this.at(toll.border[0]!)
      this.label(toll.name, x + 8, y - 6)
    }
    for (const gantry of toll.gantries) {
      const [x, y] = this.at([gantry.longitude, gantry.latitude])
      context.fillStyle = colour.panel
      context.fillRect(x - 8, y - 6, 16, 12)
      context.lineWidth = 2
      context.beginPath()
      context.moveTo(x - 6, y + 5)
      context.lineTo(x - 6, y - 4)
      context.lineTo(x + 6, y - 4)
      context.lineTo(x + 6, y + 5)
      context.stroke()
    }
  }

  jam(place: number[]): void {
    const [x, y] = this.at(place)
    this.context.beginPath()
    this.context.moveTo(x, y - 9)
    this.context.lineTo(x + 9, y + 7)
    this.context.lineTo(x - 9, y + 7)
    this.context.closePath()
    this.context.fillStyle = this.colour.red
    this.context.fill()
    this.context.strokeStyle = this.colour.ground
    this.context.lineWidth = 1.5
    this.context.stroke()
  }

  /** A square on its corner: with a cross for an accident, with a bar for who stands. */
  incident(place: number[], accident: boolean): void {
    const [x, y] = this.at(place)
    const { context } = this
    context.beginPath()
    context.moveTo(x, y - 10)
    context.lineTo(x + 10, y)
    context.lineTo(x, y + 10)
    context.lineTo(x - 10, y)
    context.closePath()
    context.fillStyle = accident ? this.colour.red : this.colour.orange
    context.fill()
    context.strokeStyle = this.colour.ground
    context.lineWidth = 1.5
    context.stroke()
    context.beginPath()
    context.moveTo(x - 4, accident ? y - 4 : y)
    context.lineTo(x + 4, accident ? y + 4 : y)
    if (accident) {
      context.moveTo(x - 4, y + 4)
      context.lineTo(x + 4, y - 4)
    }
    context.lineWidth = 2.5
    context.stroke()
  }

  vehicle(vehicle: Vehicle, named: boolean): void {
    const [x, y] = this.at([...vehicle.place])
    const { context } = this
    context.save()
    context.translate(x, y)
    context.rotate(((vehicle.direction ?? 0) * Math.PI) / 180)
    context.beginPath()
    context.moveTo(0, -7)
    context.lineTo(5, 6)
    context.lineTo(0, 3)
    context.lineTo(-5, 6)
    context.closePath()
    context.fillStyle = this.colour.text
    context.fill()
    context.strokeStyle = this.colour.ground
    context.lineWidth = 1
    context.stroke()
    context.restore()
    if (vehicle.chosen) {
      context.beginPath()
      context.arc(x, y, 12, 0, 7)
      context.strokeStyle = this.colour.outline
      context.lineWidth = 2
      context.stroke()
    }
    if (named || vehicle.chosen) this.label(vehicle.name, x + (vehicle.chosen ? 17 : 9), y + 4)
  }

  named({ name, place }: Named): void {
    const [x, y] = this.at([...place])
    this.context.beginPath()
    this.context.arc(x, y, 5, 0, 7)
    this.context.fillStyle = this.colour.text
    this.context.fill()
    this.context.strokeStyle = this.colour.ground
    this.context.lineWidth = 2
    this.context.stroke()
    // Names of places that lie close together go below one another.
    this.context.font = '11px sans-serif'
    const wide = this.context.measureText(name).width
    let row = y + 4
    while (this.written.some((each) => Math.abs(each.y - row) < 12 && each.x < x + 9 + wide && x + 9 < each.x + each.wide)) row += 12
    this.written.push({ x: x + 9, y: row, wide })
    this.label(name, x + 9, row)
  }

  private label(text: string, x: number, y: number): void {
    this.context.font = '11px sans-serif'
    this.context.lineWidth = 3
    this.context.strokeStyle = this.colour.ground
    this.context.strokeText(text, x, y)
    this.context.fillStyle = this.colour.text
    this.context.fillText(text, x, y)
  }

  mark(place: Point, letter: string): void {
    const [x, y] = this.at([...place])
    this.context.beginPath()
    this.context.arc(x, y - 12, 10, 0, 7)
    this.context.moveTo(x - 5, y - 4)
    this.context.lineTo(x, y)
    this.context.lineTo(x + 5, y - 4)
    this.context.fillStyle = this.colour.outline
    this.context.fill()
    this.context.font = 'bold 12px sans-serif'
    this.context.textAlign = 'center'
    this.context.fillStyle = this.colour.ground
    this.context.fillText(letter, x, y - 8)
    this.context.textAlign = 'start'
  }

  cross(): void {
    const [x, y] = [this.size.width / 2, this.size.height / 2]
    this.context.beginPath()
    this.context.moveTo(x - 10, y)
    this.context.lineTo(x + 10, y)
    this.context.moveTo(x, y - 10)
    this.context.lineTo(x, y + 10)
    this.context.strokeStyle = this.colour.outline
    this.context.lineWidth = 1.5
    this.context.stroke()
  }
}
