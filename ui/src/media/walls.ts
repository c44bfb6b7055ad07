// Which wall-clock instant is shown at which media time.

interface Mark {
  media: number
  wall: number
  /** Wall seconds per media second from here on. */
  rate: number
}

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
