import { expect, test } from 'vitest'
import { counted, marks, stopsOf } from './waymap'

const GATES = [
  { id: 'a', longitude: 118.37, latitude: 31.33 },
  { id: 'b', longitude: 118.39, latitude: 31.35 },
  { id: 'c', longitude: null, latitude: null },
]
const at = (...ids: (string | null)[]) => ids.map((tollgate) => ({ tollgate, tollgate_name: `gate ${tollgate}` }))

test('a stay is one stop, a return another, and a checkpoint without a place none', () => {
  const stops = stopsOf(at('a', 'a', 'c', 'b', null, 'a'), GATES)
  expect(stops.map((each) => each.name)).toEqual(['gate a', 'gate b', 'gate a'])
  expect(marks(stops).map((each) => each.name)).toEqual(['1, 3 · gate a', '2 · gate b'])
})

test('what lies nowhere is not drawn', () => {
  expect(stopsOf(at('c', null, 'unknown'), GATES)).toEqual([])
})

test('a search shows each place once, with how often it was passed', () => {
  const place = [118, 31] as const
  expect(counted([{ name: 'North', place }, { name: 'South', place: [118, 32] }, { name: 'North', place }])).toEqual([{ name: 'North · 2', place }, { name: 'South · 1', place: [118, 32] }])
})
