// A day as a drawing: a line that is broken where nobody came, with a band from what is low to what is high.

export interface Point {
  at: number
  value: number
  low: number
  high: number
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
  const most = Math.max(1, ...points.map((one) => one.high)) * 1.05
  const x = (at: number) => (((at - since) / (until - since)) * width).toFixed(1)
  const y = (value: number) => (height - (value / most) * height).toFixed(1)
  let line = ''
  let band = ''
  for (const run of runs(points)) {
    const ends = run.length === 1 ? [run[0]!, { ...run[0]!, at: run[0]!.at + BUCKET }] : run
    line += `M${ends.map((one) => `${x(one.at)} ${y(one.value)}`).join('L')}`
    band += `M${[...ends.map((one) => `${x(one.at)} ${y(one.high)}`), ...ends.toReversed().map((one) => `${x(one.at)} ${y(one.low)}`)].join('L')}Z`
  }
  return { line, band, most }
}

/** Parts between which nobody came for a quarter of an hour. */
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
