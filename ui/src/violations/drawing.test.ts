import { expect, test } from 'vitest'
import type { Point } from '../parts/sketch'
import { changed, EMPTY, enough, heading, measured, withShape, without } from './drawing'

const NEAR_TO_FAR: Point[] = [[0.2, 0.9], [0.4, 0.9], [0.45, 0.5], [0.35, 0.5]]

test('traffic goes from the first two points towards the others', () => {
  const [x, y] = heading(NEAR_TO_FAR)
  expect([x.toFixed(2), y.toFixed(2)]).toEqual(['0.10', '-0.40'])
})

test('a line of two points is full with two, an area may go on', () => {
  expect(enough('stop_line', [[0, 0]])).toEqual({ done: false, full: false })
  expect(enough('stop_line', [[0, 0], [1, 1]])).toEqual({ done: true, full: true })
  expect(enough('lane', NEAR_TO_FAR)).toEqual({ done: true, full: false })
})

test('lanes are numbered on, exits take the next way, lamps fill up a signal from red on', () => {
  let scene = withShape(withShape(EMPTY, 'lane', NEAR_TO_FAR), 'lane', NEAR_TO_FAR)
  expect(scene.lanes.map((lane) => lane.number)).toEqual([1, 2])
  scene = withShape(withShape(scene, 'exit', NEAR_TO_FAR), 'exit', NEAR_TO_FAR)
  expect(scene.exits.map((exit) => exit.turn)).toEqual(['straight', 'left'])
  for (let number = 0; number < 3; number += 1) scene = withShape(scene, 'lamp', [[0.5, 0.2], [0.4, 0.1]])
  expect(scene.lamps).toEqual([{ signal: 'signal-1', red: [0.4, 0.1, 0.5, 0.2], yellow: [0.4, 0.1, 0.5, 0.2], green: [0.4, 0.1, 0.5, 0.2] }])
})

test('what is changed or taken away leaves the rest as it was', () => {
  const scene = withShape(withShape(EMPTY, 'zone', NEAR_TO_FAR), 'zone', NEAR_TO_FAR)
  expect(changed(scene, 'zones', 1, { name: 'stop' }).zones.map((zone) => zone.name)).toEqual(['1', 'stop'])
  expect(without(scene, 'zones', 0).zones).toEqual([scene.zones[1]])
  expect(scene.zones.length).toBe(2)
})

test('a rectangle is whole with four points, and is not kept before somebody says how large it is', () => {
  expect(enough('measure', NEAR_TO_FAR)).toEqual({ done: true, full: true })
  expect(enough('measure', NEAR_TO_FAR.slice(1)).done).toBe(false)
  const drawn = withShape(EMPTY, 'measure', NEAR_TO_FAR)
  expect([measured(EMPTY), measured(drawn)]).toEqual([true, false])
  const said = { ...drawn, calibration: { ...drawn.calibration!, width_m: 7, length_m: 20, camera_height_m: 6 } }
  expect(measured(said)).toBe(true)
  const again = withShape(said, 'measure', NEAR_TO_FAR.map(([x, y]) => [x + 0.1, y]))
  expect(again.calibration).toMatchObject({ width_m: 7, corners: [[expect.closeTo(0.3), 0.9], [0.5, 0.9], [expect.closeTo(0.55), 0.5], [expect.closeTo(0.45), 0.5]] })
})
