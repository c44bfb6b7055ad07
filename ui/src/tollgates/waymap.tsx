import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api } from '../api/client'
import { useMay } from '../api/session'
import type { Passage } from '../api/types'
import { boxOf } from '../fleet/track'
import type { Named, Trail } from '../traffic/draw'
import { RoadMap } from '../traffic/map'
import { asked, fitted, type Size, type View } from '../traffic/view'

/** Where a vehicle was seen, in order. How it went from one checkpoint to the next nobody saw: those lines are dashed. */
export function WayMap({ passages }: { passages: Passage[] }) {
  const gates = useQuery({ queryKey: ['tollgates', 'names'], staleTime: 60_000, queryFn: ({ signal }) => api.get('tollgates', { query: { limit: 500 }, signal }) })
  const stops = useMemo(() => stopsOf(passages, gates.data?.items ?? []), [passages, gates.data])
  const places = useMemo(() => marks(stops), [stops])
  return <PlacesMap places={places} trail={stops} />
}

const NOBODY: Named[] = []

/** Named places on the map of the roads; `trail`: somebody went from one to the next. */
export function PlacesMap({ places, trail = NOBODY }: { places: Named[]; trail?: Named[] }) {
  const maySeeRoads = useMay('traffic.see')
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  const [chosen, setView] = useState<View | null>(null)
  const view = useMemo(() => {
    const box = boxOf(places.map((each) => each.place))
    return chosen ?? (box && size.width > 0 ? fitted(box, size) : null)
  }, [places, chosen, size])
  const box = view && size.width > 0 ? asked(view, size) : null
  const boxText = box ? [box.west, box.south, box.east, box.north].map((each) => each.toFixed(6)).join(',') : ''
  const roads = useQuery({
    queryKey: ['traffic', 'conditions', boxText], enabled: maySeeRoads && boxText !== '', retry: false, placeholderData: keepPreviousData, staleTime: 60_000,
    queryFn: ({ signal }) => api.get('traffic/conditions', { query: { box: boxText, everything: true, limit: 3000 }, signal }),
  })
  const scene = useMemo(() => {
    const way: Trail = { name: '', steps: trail.map((each) => ({ place: each.place, gap: true })), stands: [] }
    return { roads: roads.data?.features ?? [], jams: [], closures: [], vehicles: [], places, ways: [], chosen: 0, from: null, to: null, draft: [], trails: trail.length > 0 ? [way] : [] }
  }, [roads.data, places, trail])
  if (places.length === 0) return null
  return (
    <div className="way-map">
      <RoadMap view={view ?? { longitude: 0, latitude: 1, scale: 1e-4 }} onView={setView} onSize={setSize} onPick={() => undefined} onFit={() => setView(null)} scene={scene} />
    </div>
  )
}

/** Where it was, one stop for each stay at a place that is on the map. */
export function stopsOf(passages: Pick<Passage, 'tollgate' | 'tollgate_name'>[], gates: { id: string; longitude: number | null; latitude: number | null }[]): Named[] {
  const places = new Map(gates.flatMap((each) => (each.longitude === null || each.latitude === null ? [] : [[each.id, [each.longitude, each.latitude] as const] as const])))
  const stops: Named[] = []
  let before: string | null = null
  for (const { tollgate, tollgate_name: name } of passages) {
    const place = tollgate === null ? undefined : places.get(tollgate)
    if (!place || tollgate === before) continue
    before = tollgate
    stops.push({ name: name || '–', place })
  }
  return stops
}

/** One mark for each place, with how often it was passed: for more stops than anybody numbers. */
export function counted(stops: Named[]): Named[] {
  const found = new Map<string, Named & { n: number }>()
  for (const stop of stops) {
    const key = stop.place.join()
    const mark = found.get(key) ?? { ...stop, n: 0 }
    mark.n += 1
    found.set(key, mark)
  }
  return [...found.values()].map(({ n, name, place }) => ({ name: `${name} · ${n}`, place }))
}

/** One mark for each place, with the numbers of its stops: a place may be passed more than once. */
export function marks(stops: Named[]): Named[] {
  const found = new Map<string, Named & { numbers: number[] }>()
  stops.forEach((stop, index) => {
    const key = stop.place.join()
    const mark = found.get(key) ?? { ...stop, numbers: [] }
    mark.numbers.push(index + 1)
    found.set(key, mark)
  })
  return [...found.values()].map(({ numbers, name, place }) => ({ name: `${numbers.join(', ')} · ${name}`, place }))
}
