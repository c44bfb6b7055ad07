import { useQuery } from '@tanstack/react-query'
import { TreeSelect } from 'antd'
import { api } from '../api/client'
import type { Page, Place } from '../api/types'
import { t } from '../words'

export interface Branch {
  value: string
  title: string
  children: Branch[]
}

/** A flat list with parents as a tree; what has no known parent stands on top. */
export function branches(places: Place[]): Branch[] {
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
  return useQuery({ queryKey: [what, 'every'], queryFn: ({ signal }) => api.get<Page<Place>>(what, { every: true }, signal), staleTime: 30_000 })
}

/** Choose an area or organisation; works as a field of a form. */
export function PlaceSelect({ what, value, onChange, multiple = false }: { what: 'areas' | 'organisations'; value?: string | string[] | null; onChange?: (value: string | string[] | null) => void; multiple?: boolean }) {
  const { data } = usePlaces(what)
  return (
    <TreeSelect
      {...(value === undefined ? {} : { value: value as string })} onChange={(chosen: string | undefined) => onChange?.(chosen ?? null)} treeData={branches(data?.items ?? [])} treeDefaultExpandAll allowClear showSearch
      treeNodeFilterProp="title" multiple={multiple} placeholder={t(what === 'areas' ? 'word.area' : 'device.organisation')} aria-label={t(what === 'areas' ? 'word.area' : 'device.organisation')} style={{ width: '100%' }}
    />
  )
}
