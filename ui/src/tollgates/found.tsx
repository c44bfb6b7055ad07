// What a search of passages found, in space and in time.

import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api } from '../api/client'
import type { Passage } from '../api/types'
import { stamp, toUs } from '../parts/times'
import { t } from '../words'
import { counted, PlacesMap } from './waymap'

const MOST_LINES = 40

/** Checkpoints with how often something passed there. */
export function FoundMap({ passages }: { passages: Passage[] }) {
  const gates = useQuery({ queryKey: ['tollgates', 'names'], staleTime: 60_000, queryFn: ({ signal }) => api.get('tollgates', { query: { limit: 500 }, signal }) })
  const places = useMemo(() => {
    const known = new Map((gates.data?.items ?? []).flatMap((each) => (each.longitude === null || each.latitude === null ? [] : [[each.id, { name: each.name, place: [each.longitude, each.latitude] as const }] as const])))
    return counted(passages.flatMap((each) => known.get(each.tollgate ?? '') ?? []))
  }, [passages, gates.data])
  if (gates.data && places.length === 0) return <div className="empty">{t('search.noPlaces')}</div>
  return <PlacesMap places={places} />
}

/** A line for each checkpoint, the busiest first, with a mark for each passage from the oldest to the newest. */
export function FoundLine({ rows, onOpen }: { rows: Passage[]; onOpen: (row: Passage) => void }) {
  const lines = useMemo(() => {
    const found = new Map<string, Passage[]>()
    for (const row of rows) {
      const place = row.tollgate_name || row.device || '–'
      found.set(place, [...(found.get(place) ?? []), row])
    }
    return [...found].sort((a, b) => b[1].length - a[1].length)
  }, [rows])
  const times = rows.map((row) => toUs(row.at))
  if (times.length === 0) return <div className="empty">{t('passage.none')}</div>
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const share = (at: string) => (last > first ? (100 * (toUs(at) - first)) / (last - first) : 50)
  return (
    <div className="found-line panel">
      <div className="found-ends quiet"><span>{stamp(first)}</span><span>{stamp(last)}</span></div>
      {lines.slice(0, MOST_LINES).map(([place, seen]) => (
        <div key={place} className="found-row">
          <span className="clip" title={place}>{place} <span className="quiet">{seen.length}</span></span>
          <div className="found-track">
            {seen.map((row) => (
              <button key={row.id} type="button" style={{ left: `${share(row.at)}%` }} title={`${stamp(row.at)} ${row.plate || t('passage.unread')}`} aria-label={`${stamp(row.at)} ${row.plate || t('passage.unread')}`} onClick={() => onOpen(row)} />
            ))}
          </div>
        </div>
      ))}
      {lines.length > MOST_LINES && <p className="p3">▲ {t('search.cut')}</p>}
    </div>
  )
}
