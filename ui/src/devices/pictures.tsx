import { useQuery } from '@tanstack/react-query'
import { address, api } from '../api/client'
import { stamp } from '../parts/times'
import { maybe, t, useLanguage } from '../words'

/** What a vehicle terminal took itself; each is opened by a click, for who looks at it is written down. */
export function TerminalPictures({ id }: { id: string }) {
  useLanguage()
  const found = useQuery({ queryKey: ['device', id, 'pictures'], retry: false, queryFn: ({ signal }) => api.get('devices/{device}/pictures', { path: { device: id }, query: { limit: 50 }, signal }) })
  const items = found.data?.items ?? []
  if (items.length === 0) return null
  return (
    <div className="panel">
      <h2 style={{ marginBottom: 8 }}>{t('device.pictures')}</h2>
      <ul className="traffic-list" style={{ maxHeight: 220, overflow: 'auto' }}>
        {items.map((one) => (
          <li key={one.name}>
            <a href={address('devices/{device}/pictures/{picture}', { path: { device: id, picture: one.name } })} target="_blank" rel="noreferrer">{stamp(one.at)}</a>{' '}
            <span className="quiet">{maybe(`picture.media.${one.media}`) ?? one.media} · {maybe(`picture.cause.${one.cause}`) ?? one.cause} · {maybe(`vehicle.place.${one.channel}`) ?? one.channel}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
