import type { Violation } from '../api/types'
import { clock } from '../parts/times'
import { type Key, t } from '../words'
import { pictureOf } from './useDesk'

const CROPS = ['02', '09']
type Evidence = Violation['pictures'][number]

/** The full views side by side, each with its time, how long after the first, and where the vehicle is. */
export function Views({ one }: { one: Violation }) {
  const views = one.pictures.filter((each) => !CROPS.includes(each.kind))
  if (views.length === 0) return <div className="empty">{t('violation.noPicture')}</div>
  const first = Date.parse(views[0]!.at)
  return (
    <div className="evidence" data-n={Math.min(views.length, 3)}>
      {views.map((each, at) => <View key={each.number} one={one} picture={each} after={(Date.parse(each.at) - first) / 1000} name={`${at + 1}`} />)}
    </div>
  )
}

function View({ one, picture, after, name }: { one: Violation; picture: Evidence; after: number; name: string }) {
  const box = picture.box
  return (
    <figure>
      <div className="evidence-view" style={{ aspectRatio: `${picture.width} / ${picture.height}` }}>
        <img src={pictureOf(one, picture.number)} alt={t('violation.view', { n: name })} decoding="async" />
        {box && <i style={{ left: `${box[0] * 100}%`, top: `${box[1] * 100}%`, width: `${(box[2] - box[0]) * 100}%`, height: `${(box[3] - box[1]) * 100}%` }} />}
      </div>
      <figcaption>
        <b>{name}</b> {clock(picture.at)} {after > 0 && <span>+{after.toFixed(after < 100 ? 1 : 0)} s</span>}
        {picture.light && <span>{t(`violation.light.${picture.light}` as Key)}</span>}
        <span className="grow" /><span className="quiet">{picture.width} × {picture.height}</span>
      </figcaption>
    </figure>
  )
}

/** The plate as the camera saw it, as large as it goes. */
export function PlateCrop({ one }: { one: Violation }) {
  const crop = one.pictures.find((each) => each.kind === '02') ?? one.pictures.find((each) => each.kind === '09')
  return crop ? <img className="evidence-plate" src={pictureOf(one, crop.number)} alt={t('watch.plate')} decoding="async" /> : null
}
