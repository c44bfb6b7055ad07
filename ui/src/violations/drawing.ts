// What is drawn on a picture, while it is drawn: points become lanes, lines, exits, zones and lamps. Pure.

import type { Body } from '../api/client'
import type { Schemas } from '../api/client'
import { middle, type Point } from '../parts/sketch'

export type SceneAsk = Body<'put', 'channels/{channel}/scene'>
export type SceneOut = Schemas['SceneOut']
export type Tool = 'lane' | 'stop_line' | 'solid_line' | 'exit' | 'zone' | 'lamp' | 'measure'
export type Turn = SceneAsk['lanes'] extends (infer L)[] | undefined ? (L extends { turns: (infer T)[] } ? T : never) : never
export type Colour = 'red' | 'yellow' | 'green'

export const TOOLS: readonly Tool[] = ['lane', 'stop_line', 'exit', 'solid_line', 'zone', 'lamp', 'measure']
export const TURNS: readonly Turn[] = ['left', 'straight', 'right', 'back']
const NEEDED: Record<Tool, [least: number, most: number]> = { lane: [3, 30], exit: [3, 30], zone: [3, 30], solid_line: [2, 30], stop_line: [2, 2], lamp: [2, 2], measure: [4, 4] }

/** Everything that a scene holds, none of it left out. */
export type Scene = Required<SceneAsk>

export const EMPTY: Scene = { name: '', clock_error_ms: 500, lanes: [], stop_lines: [], solid_lines: [], exits: [], zones: [], lamps: [], calibration: null }

/** As it is kept, without who drew it. */
export function drawn({ name, clock_error_ms, lanes, stop_lines, solid_lines, exits, zones, lamps, calibration }: SceneOut): Scene {
  return { name, clock_error_ms, lanes, stop_lines, solid_lines, exits, zones, lamps, calibration }
}

/** `full`: no further point has a place in it. */
export function enough(tool: Tool, points: readonly Point[]): { done: boolean; full: boolean } {
  const [least, most] = NEEDED[tool]
  return { done: points.length >= least, full: points.length >= most }
}

/** Traffic goes from where the first two points lie towards the others. */
export function heading(area: readonly (readonly number[])[]): Point {
  const from = middle(area.slice(0, 2))
  const to = middle(area.slice(2))
  return [to[0] - from[0], to[1] - from[1]]
}

/** The scene with what was drawn last. */
export function withShape(scene: Scene, tool: Tool, points: Point[], signal = 'signal-1'): Scene {
  switch (tool) {
    case 'lane': {
      const number = Math.max(0, ...scene.lanes.map((lane) => lane.number)) + 1
      return { ...scene, lanes: [...scene.lanes, { number, area: points, heading: heading(points), turns: ['straight'], signals: {} }] }
    }
    case 'stop_line':
      return { ...scene, stop_lines: [...scene.stop_lines, points] }
    case 'solid_line':
      return { ...scene, solid_lines: [...scene.solid_lines, points] }
    case 'exit': {
      const free = TURNS.find((turn) => !scene.exits.some((exit) => exit.turn === turn)) ?? 'straight'
      return { ...scene, exits: [...scene.exits, { turn: scene.exits.length === 0 ? 'straight' : free, area: points }] }
    }
    case 'zone':
      return { ...scene, zones: [...scene.zones, { name: `${scene.zones.length + 1}`, area: points, seconds: 60 }] }
    case 'measure': // drawn again it is another one of the same size
      return { ...scene, calibration: { ...(scene.calibration ?? UNMEASURED), corners: points } }
    case 'lamp': {
      const [a, b] = points as [Point, Point]
      const region = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])]
      const free = scene.lamps.find((each) => each.signal === signal && COLOURS.some((colour) => !each[colour]))
      const next = COLOURS.find((colour) => !free?.[colour]) ?? 'red'
      const others = scene.lamps.filter((each) => each !== free)
      return { ...scene, lamps: [...others, { ...(free ?? { signal, red: null, yellow: null, green: null }), [next]: region }] }
    }
  }
}

/** Nobody's guess of a size is taken for what was measured: who drew a rectangle says how large it is. */
const UNMEASURED = { width_m: 0, length_m: 0, camera_height_m: 0 }

/** Whether all that has to be measured on the road is said. */
export function measured({ calibration }: Scene): boolean {
  return !calibration || (calibration.width_m > 0 && calibration.length_m > 0 && calibration.camera_height_m > 0)
}

export const COLOURS: readonly Colour[] = ['red', 'yellow', 'green']

/** A copy without one of its parts. */
export function without<K extends 'lanes' | 'stop_lines' | 'solid_lines' | 'exits' | 'zones' | 'lamps'>(scene: Scene, part: K, at: number): Scene {
  return { ...scene, [part]: scene[part].filter((_, each) => each !== at) }
}

/** A copy in which one of its parts says something else. */
export function changed<K extends 'lanes' | 'exits' | 'zones' | 'lamps'>(scene: Scene, part: K, at: number, values: Partial<Scene[K][number]>): Scene {
  return { ...scene, [part]: scene[part].map((each, place) => (place === at ? { ...each, ...values } : each)) }
}
