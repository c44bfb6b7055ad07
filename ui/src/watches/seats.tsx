// Whom alarms of a watch go to: roles, organisations, people. A seat is `role:NAME`, `organisation:ID` or `user:ID`.

import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { usePlaces } from '../admin/choose'
import { api } from '../api/client'
import { useMay, useMe } from '../api/session'
import type { Role, User } from '../api/types'
import { t } from '../words'

const ROLES: readonly Role[] = ['operator', 'supervisor', 'administrator']

/** What a seat is called; a person's id where their name is not for the reader. */
export function useSeatNames(): (seat: string) => string {
  const me = useMe()
  const organisations = usePlaces('organisations')
  const people = usePeople()
  return (seat) => {
    const [kind, name = ''] = seat.split(':')
    if (kind === 'role') return t('watch.seat.role', { name: t(`role.${name as Role}`) })
    if (kind === 'organisation') return organisations.data?.find((each) => each.id === name)?.name ?? name
    if (name === me.data?.user.id) return me.data.user.username
    return people.find((each) => each.id === name)?.username ?? t('watch.seat.user')
  }
}

/** As far as the reader may know them. */
function usePeople(): User[] {
  const may = useMay('user.see')
  return useQuery({ queryKey: ['users', 'seats'], queryFn: async ({ signal }) => (await api.get('users', { query: { limit: 500 }, signal })).items, enabled: may, staleTime: 30_000 }).data ?? []
}

/** A field of a form. */
export function SeatsField({ value, onChange, label, roles = true }: { value?: string[]; onChange?: (value: string[]) => void; label: string; roles?: boolean }) {
  const me = useMe()
  const organisations = usePlaces('organisations')
  const people = usePeople()
  const own = me.data ? [{ value: `user:${me.data.user.id}`, label: `${t('watch.seat.me')} (${me.data.user.username})` }] : []
  const others = people.filter((each) => each.id !== me.data?.user.id).map((each) => ({ value: `user:${each.id}`, label: each.name || each.username }))
  const options = [
    { label: t('watch.seat.roles'), title: '', options: (roles ? ROLES : []).map((role) => ({ value: `role:${role}`, label: t('watch.seat.role', { name: t(`role.${role}`) }) })) },
    { label: t('watch.seat.organisations'), title: '', options: (organisations.data ?? []).map((each) => ({ value: `organisation:${each.id}`, label: each.name })) },
    { label: t('watch.seat.people'), title: '', options: [...own, ...others] },
  ].filter((group) => group.options.length > 0)
  return <Select mode="multiple" {...(value ? { value } : {})} {...(onChange ? { onChange } : {})} options={options} optionFilterProp="label" aria-label={label} style={{ width: '100%' }} />
}
