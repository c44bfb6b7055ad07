import { describe, expect, it } from 'vitest'
import { polygonOf } from './geojson'

const RING = [[0, 0, 12.5], [1, 0], [1, 1], [0, 0, 12.5]]
const FLAT = [[0, 0], [1, 0], [1, 1], [0, 0]]
const POLYGON = { type: 'Polygon', coordinates: [RING] }

describe('a border from a file', () => {
  it('is the polygon, wherever map programs put it, and has no heights', () => {
    const feature = { type: 'Feature', properties: { name: 'x' }, geometry: POLYGON }
    for (const file of [POLYGON, feature, { type: 'FeatureCollection', features: [feature] }]) {
      expect(polygonOf(JSON.stringify(file))).toEqual({ type: 'Polygon', coordinates: [FLAT] })
    }
    expect(polygonOf(JSON.stringify({ type: 'MultiPolygon', coordinates: [[RING]] }))).toEqual({ type: 'MultiPolygon', coordinates: [[FLAT]] })
  })

  it('is nothing where there is none, or where several could be meant', () => {
    const feature = { type: 'Feature', geometry: POLYGON }
    for (const file of ['', 'x', 'null', '[]', '{"type":"Point","coordinates":[0,0]}', JSON.stringify({ type: 'FeatureCollection', features: [feature, feature] })]) {
      expect(polygonOf(file)).toBeNull()
    }
  })
})
