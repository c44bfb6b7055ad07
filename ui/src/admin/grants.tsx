import { Button, Select } from 'antd'
import type { Body } from '../api/client'
import type { Role, User } from '../api/types'
import { stamp } from '../parts/times'
import { t } from '../words'
import { type Place, PlaceSelect } from './choose'

export type Grant = NonNullable<Body<'post', 'users'>['grants']>[number]
const ROLES: readonly Role[] = ['administrator', 'supervisor', 'operator', 'viewer', 'reporter']

/** What somebody holds, as it is sent back: grants name places by path, the trees by id. */
export function grantsOf(user: User, areas: Place[], organisations: Place[]): Grant[] {
  return user.grants.map(({ role, area_path, organisation_path, tags, deny, until }) => ({ role, tags, deny, until, area: idOf(area_path, areas), organisation: idOf(organisation_path, organisations) }))
}

/** A path that is in no tree of ours stays as it is: the server knows it, and it must not become "everywhere". */
function idOf(path: string, places: Place[]): string | null {
  return path === '/' ? null : places.find((each) => each.path === path)?.id ?? path
}

/** One line per grant: a role, and where it counts. A field of a form. */
export function GrantsField({ value = [], onChange }: { value?: Grant[]; onChange?: (value: Grant[]) => void }) {
  const put = (index: number, change: Partial<Grant>) => onChange?.(value.map((each, at) => (at === index ? { ...each, ...change } : each)))
  return (
    <div className="column" style={{ gap: 8 }}>
      {value.map((grant, index) => (
        <div key={index} className="panel column" style={{ gap: 6 }}>
          <div className="row">
            <Select value={grant.deny === true} aria-label={t('grant.kind')} style={{ width: 130 }} onChange={(deny) => put(index, { deny })} options={[{ value: false, label: t('grant.gives') }, { value: true, label: t('grant.takes') }]} />
            <Select value={grant.role} aria-label={t('user.roles')} style={{ flex: 1 }} onChange={(role) => put(index, { role })} options={ROLES.map((each) => ({ value: each, label: t(`role.${each}`) }))} />
            <Button onClick={() => onChange?.(value.filter((_, at) => at !== index))} aria-label={t('grant.remove')}>{t('verb.delete')}</Button>
          </div>
          <p className="quiet">{t(`role.${grant.role}.may`)}</p>
          <PlaceSelect what="areas" value={grant.area ?? null} onChange={(area) => put(index, { area })} />
          <PlaceSelect what="organisations" value={grant.organisation ?? null} onChange={(organisation) => put(index, { organisation })} />
          {((grant.tags?.length ?? 0) > 0 || grant.until) && (
            <p className="quiet">{[...(grant.tags ?? []), ...(grant.until ? [t('grant.until', { at: stamp(grant.until) })] : [])].join(' · ')}</p>
          )}
        </div>
      ))}
      <div><Button onClick={() => onChange?.([...value, { role: 'operator', tags: [], deny: false, area: null, organisation: null }])}>{t('grant.add')}</Button></div>
    </div>
  )
}
