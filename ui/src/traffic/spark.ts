// The day of a section as a drawing: a line that is broken where nobody arrived, with a band for the middle 80 of 100.

export interface Point {
  at: number
  seconds: number
  low_seconds: number
  high_seconds: number
}

export interface Drawing {
  /** Paths of SVG. */
  line: string
  band: string
  /** Of the upper edge. */
  most: number
}

const BUCKET = 300_000_000

/** Points in order of time, over [since, until) in microseconds, into a box of that size. */
export function drawing(points: Point[], since: number, until: number, width: number, height: number): Drawing {
  const most = Math.max(1, ...points.map((one) => one.high_seconds)) * 1.05
  const x = (at: number) => (((at - since) / (until - since)) * width).toFixed(1)
  const y = (seconds: number) => (height - (seconds / most) * height).toFixed(1)
  let line = ''
  let band = ''
  for (const run of runs(points)) {
    const ends = run.length === 1 ? [run[0]!, { ...run[0]!, at: run[0]!.at + BUCKET }] : run
    line += `M${ends.map((one) => `${x(one.at)} ${y(one.seconds)}`).join('L')}`
    band += `M${[...ends.map((one) => `${x(one.at)} ${y(one.high_seconds)}`), ...ends.toReversed().map((one) => `${x(one.at)} ${y(one.low_seconds)}`)].join('L')}Z`
  }
  return { line, band, most }
}

/** Parts between which nobody arrived for a quarter of an hour. */
function runs(points: Point[]): Point[][] {
  const found: Point[][] = []
  for (const one of points) {
    const last = found.at(-1)
    if (last && one.at - last.at(-1)!.at <= 3 * BUCKET) last.push(one)
    else found.push([one])
  }
  return found
}

/** How many percent longer than usual. */
export function longer(now: number, usual: number): number {
  return Math.round((100 * (now - usual)) / usual)
}
