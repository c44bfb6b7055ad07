// The shown stretch of time: pure arithmetic on microseconds UTC.

export interface Span {
  start: number
  end: number
}

/** What somebody marks: one edge may still be missing. */
export type Range = { start: number | null; end: number | null }

/** The range, where it has a start before its end. */
export function markedOf({ start, end }: Range): Span | null {
  return start !== null && end !== null && end > start ? { start, end } : null
}

const LEAST = 20e6
const MOST = 40 * 86400e6

export function around(at: number, length: number): Span {
  return { start: at - length / 2, end: at + length / 2 }
}

/** Zoom so that the instant `at` stays under the pointer. */
export function zoomed(span: Span, factor: number, at: number): Span {
  const length = Math.min(MOST, Math.max(LEAST, (span.end - span.start) * factor))
  const part = (at - span.start) / (span.end - span.start)
  return { start: at - part * length, end: at + (1 - part) * length }
}

export function moved(span: Span, by: number): Span {
  return { start: span.start + by, end: span.end + by }
}

/** A stretch of that length in which `at` is: nothing changes where it is already. */
export function inSight(span: Span, at: number): Span {
  return at < span.start || at > span.end ? around(at, span.end - span.start) : span
}

/** The stretch that keeps `at` in sight while it plays: nothing changes until it leaves. */
export function following(span: Span, at: number): Span {
  const length = span.end - span.start
  if (at > span.end - length * 0.04) return { start: at - length * 0.2, end: at + length * 0.8 }
  if (at < span.start) return { start: at - length * 0.8, end: at + length * 0.2 }
  return span
}

/** What to ask the server for `span`: a wider, rounded stretch, so that panning rarely asks again. */
export function asked(span: Span): { start: number; end: number; resolution_ms: number } {
  const length = 2 ** Math.ceil(Math.log2(span.end - span.start))
  const start = Math.floor(span.start / length) * length
  const end = Math.ceil(span.end / length) * length
  return { start, end, resolution_ms: Math.max(1000, Math.round(length / 4000 / 1000)) }
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000].map((s) => s * 1e6)

/** Distance of the labelled ticks, so that labels of `width` pixels do not touch. */
export function tickStep(span: Span, pixels: number, width: number): number {
  const least = ((span.end - span.start) / pixels) * width
  return STEPS.find((step) => step >= least) ?? STEPS.at(-1)!
}

/** Stretches that touch or overlap, as one; in order of time. `slack`: what lies between two files of one recording. */
export function merged(spans: readonly Span[], slack = 1e6): Span[] {
  const found: Span[] = []
  for (const each of [...spans].sort((a, b) => a.start - b.start)) {
    const last = found.at(-1)
    if (last && each.start <= last.end + slack) last.end = Math.max(last.end, each.end)
    else found.push({ ...each })
  }
  return found
}
