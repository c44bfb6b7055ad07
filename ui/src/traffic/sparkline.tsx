import { shortClock, zoneName } from '../parts/times'
import { drawing, type Point } from './spark'

/** A line through time that ends at `until`, `span` microseconds long; `upTo` says what its upper edge is, below it. */
export function Sparkline({ points, until, span, width, height, label, upTo }: { points: Point[]; until: number; span: number; width: number; height: number; label: string; upTo?: (most: number) => string }) {
  const since = until - span
  const { line, band, most } = drawing(points, since, until, width, height)
  return (
    <figure className="travel-spark">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        <path className="travel-band" d={band} />
        <path className="travel-line" d={line} />
      </svg>
      {upTo && <figcaption className="quiet" title={zoneName()}><span>{shortClock(since)}</span><span>{upTo(most)}</span><span>{shortClock(until)}</span></figcaption>}
    </figure>
  )
}
