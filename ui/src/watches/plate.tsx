import type { WatchHit } from '../api/types'
import { t } from '../words'

/** The plate as it was read; of a near miss the character that was read otherwise stands out, and what was watched for. */
export function HitPlate({ hit, large = false }: { hit: Pick<WatchHit, 'plate' | 'kind' | 'differs' | 'wanted'>; large?: boolean }) {
  const size = large ? { style: { fontSize: 20 } } : {}
  if (hit.kind === 'exact' || hit.differs === null) return <b className="mono" {...size}>{hit.plate}</b>
  const at = hit.differs
  return (
    <span className="row" title={t('hit.nearHint', { read: hit.plate, wanted: hit.wanted })}>
      <b className="mono" {...size}>{hit.plate.slice(0, at)}<span className="misread">{hit.plate.slice(at, at + 1)}</span>{hit.plate.slice(at + 1)}</b>
      <span className="mark near-mark">≈ {t('hit.near')}</span>
    </span>
  )
}
