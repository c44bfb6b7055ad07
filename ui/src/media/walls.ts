// Which wall-clock instant is shown at which media time.

interface Mark {
  media: number
  wall: number
  /** Wall seconds per media second from here on. */
  rate: number
}

const STEPS = 9
/** Shorter than this nobody sees that pictures are missing. */
const HOLE_SECONDS = 0.3

/** Marks in media order, one for each fragment. */
export class Walls {
  private marks: Mark[] = []

  get size(): number {
    return this.marks.length
  }

  push(media: number, wall: number, rate = 1): void {
    const last = this.marks.at(-1)
    if (last && media < last.media) this.marks = this.marks.filter((mark) => mark.media < media)
    this.marks.push({ media, wall, rate })
  }

  /** Microseconds UTC of the picture at `media` seconds, or 0 where nothing is known. */
  at(media: number): number {
    const index = this.indexAt(media)
    const mark = this.marks[index]
    if (!mark) return 0
    const next = this.marks[index + 1]
    const elapsed = Math.max(0, media - mark.media) * 1e6 * mark.rate
    // Inside a fragment time cannot pass the start of the next one, nor grow without limit behind the last.
    if (next && next.wall >= mark.wall) return Math.min(mark.wall + elapsed, next.wall)
    return mark.wall + Math.min(elapsed, 1e6)
  }

  /** Seconds between pictures lately, or 0 before there were two. */
  step(): number {
    const last = this.marks.slice(-STEPS - 1)
    const steps = last.slice(1).map((mark, index) => mark.media - last[index]!.media).sort((a, b) => a - b)
    return steps[steps.length >> 1] ?? 0
  }

  /**
   * Where live pictures end. A picture claims to last longer than it does, and after a pause of its source it may
   * claim seconds: taken for the live edge, the viewer would wait there for what has not come yet.
   */
  edge(buffered: number): number {
    const newest = this.marks.at(-1)
    const step = this.step()
    return newest && step > 0 ? Math.min(buffered, newest.media + 2 * step) : buffered
  }

  /**
   * The start of the next picture, where `media` lies behind all that the one before it is good for; else null.
   * A video that waits has come to that end already, whatever its clock says.
   */
  overHole(media: number, waits = false): number | null {
    const index = this.indexAt(media)
    const before = this.marks[index]
    const next = this.marks[index + 1]
    if (!before || !next || next.media - before.media < HOLE_SECONDS) return null
    return (waits || media >= before.media + 2 * this.step() - 0.02) && next.media > media ? next.media : null
  }

  trim(before: number): void {
    const index = this.indexAt(before)
    if (index > 0) this.marks.splice(0, index)
  }

  clear(): void {
    this.marks = []
  }

  private indexAt(media: number): number {
    let low = 0
    let high = this.marks.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.marks[middle]!.media <= media + 1e-4) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}
