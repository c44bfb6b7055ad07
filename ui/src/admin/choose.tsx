import { useQuery } from '@tanstack/react-query'
import { TreeSelect } from 'antd'
import { api } from '../api/client'
import type { Area, Organisation } from '../api/types'
import { t } from '../words'

export type Place = Area | Organisation

export interface Branch {
  value: string
  title: string
  children: Branch[]
}

/** A flat list with parents as a tree; what has no known parent stands on top. */
export function branches(places: Pick<Place, 'id' | 'name' | 'parent'>[]): Branch[] {
  const known = new Map(places.map((place) => [place.id, { value: place.id, title: place.name, children: [] as Branch[] }]))
  const top: Branch[] = []
  for (const place of places) {
    const branch = known.get(place.id)!
    const parent = place.parent ? known.get(place.parent) : undefined
    if (parent) parent.children.push(branch)
    else top.push(branch)
  }
  return top
}

export function usePlaces(what: 'areas' | 'organisations') {
  return useQuery<Place[]>({
    queryKey: [what, 'every'],
    queryFn: async ({ signal }) => (await (what === 'areas' ? api.get('areas', { query: { every: true }, signal }) : api.get('organisations', { query: { every: true }, signal }))).items,
    staleTime: 30_000,
  })
}

/** Choose an area or organisation; works as a field of a form. */
export function PlaceSelect({ what, value, onChange }: { what: 'areas' | 'organisations'; value?: string | null; onChange?: (value: string | null) => void }) {
  const { data } = usePlaces(what)
  return (
    <TreeSelect
      {...(value === undefined ? {} : { value: value as string })} onChange={(chosen: string | undefined) => onChange?.(chosen ?? null)} treeData={branches(data ?? [])} treeDefaultExpandAll allowClear showSearch
      treeNodeFilterProp="title" placeholder={t(what === 'areas' ? 'word.area' : 'device.organisation')} aria-label={t(what === 'areas' ? 'word.area' : 'device.organisation')} style={{ width: '100%' }}
    />
  )
}
