import type { Body } from '../api/client'

export type Outline = Body<'put', 'areas/{area}/outline'>

/** The polygon in a file of GeoJSON: by itself, or of its only feature. Null for anything else. */
export function polygonOf(text: string): Outline | null {
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    return null
  }
  for (let depth = 0; depth < 3 && typeof found === 'object' && found !== null; depth++) {
    const { type, features, geometry, coordinates } = found as Record<string, unknown>
    if ((type === 'Polygon' || type === 'MultiPolygon') && Array.isArray(coordinates)) return { type, coordinates: flat(coordinates) } as Outline
    if (type === 'Feature') found = geometry
    else if (type === 'FeatureCollection' && Array.isArray(features) && features.length === 1) found = features[0]
    else return null
  }
  return null
}

/** Without heights: a border has none. */
function flat(part: unknown): unknown {
  if (!Array.isArray(part)) return part
  return typeof part[0] === 'number' ? part.slice(0, 2) : part.map(flat)
}
