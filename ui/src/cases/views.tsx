import { useMemo, useState } from 'react'
import { address } from '../api/client'
import type { Case, CaseEntry, CaseResult } from '../api/types'
import { type Column, Table } from '../parts/table'
import { stamp } from '../parts/times'
import { marks, PlacesMap } from '../tollgates/waymap'
import { t } from '../words'

interface ViewProps {
  one: Case
  entries: CaseEntry[]
}

const inTime = (entries: CaseEntry[]): CaseResult[] => entries.flatMap((each) => each.results).sort((a, b) => a.at.localeCompare(b.at))

export function Picture({ one, result, number, large = false }: { one: Case; result: CaseResult; number: number; large?: boolean }) {
  const [gone, setGone] = useState(false)
  if (gone) return <span className="quiet">–</span>
  const source = address('cases/{case}/results/{result}/pictures/{number}', { path: { case: one.id, result: result.id, number } })
  return <img className={large ? '' : 'alarm-picture'} style={large ? { maxWidth: '100%' } : undefined} loading="lazy" src={source} alt={t('passage.picture')} onError={() => setGone(true)} />
}

/** Every picture that the case has copied. */
export function Sheet({ one, entries }: ViewProps) {
  const shown = inTime(entries).flatMap((result) => result.pictures.map((picture) => ({ result, number: picture.number })))
  if (shown.length === 0) return <div className="empty">{t('case.noPictures')}</div>
  return (
    <div className="picture-sheet">
      {shown.map(({ result, number }) => (
        <a key={`${result.id} ${number}`} className="picture-card" target="_blank" rel="noreferrer" href={address('cases/{case}/results/{result}/pictures/{number}', { path: { case: one.id, result: result.id, number } })}>
          <Picture one={one} result={result} number={number} large />
          <span className="mono">{result.plate || t(`case.result.${result.kind}`)}</span>
          <span className="quiet clip">{result.place_name || '–'}</span>
          <span className="quiet">{stamp(result.at)}</span>
        </a>
      ))}
    </div>
  )
}

/** Where it happened, numbered in the order of time. */
export function CaseMap({ entries }: { entries: CaseEntry[] }) {
  const places = useMemo(() => marks(inTime(entries).flatMap((each) => (each.longitude === null || each.latitude === null ? [] : [{ name: each.place_name || '–', place: [each.longitude, each.latitude] as const }]))), [entries])
  if (places.length === 0) return <div className="empty">{t('case.noPlaces')}</div>
  return <PlacesMap places={places} />
}

export function Rows({ one, entries }: ViewProps) {
  const rows = inTime(entries)
  const columns: Column<CaseResult>[] = [
    { key: 'at', title: t('word.time'), width: '170px', cell: (row) => stamp(row.at), value: (row) => row.at },
    { key: 'kind', title: t('word.kind'), width: '110px', cell: (row) => t(`case.result.${row.kind}`), value: (row) => row.kind },
    { key: 'plate', title: t('passage.plate'), width: 'minmax(120px, 1fr)', cell: (row) => <span className="mono">{row.plate || '–'}</span>, value: (row) => row.plate },
    { key: 'place', title: t('hit.place'), width: 'minmax(140px, 2fr)', cell: (row) => row.place_name || '–', value: (row) => row.place_name },
    { key: 'until', title: t('export.to'), width: '170px', cell: (row) => (row.until ? stamp(row.until) : '–'), value: (row) => row.until ?? '' },
    { key: 'pictures', title: t('case.sheet'), width: '90px', end: true, cell: (row) => row.pictures.length, value: (row) => row.pictures.length },
  ]
  return <div style={{ height: 420 }}><Table name={one.number} rows={rows} columns={columns} id={(row) => row.id} empty={<div className="empty">{t('case.empty')}</div>} /></div>
}
