// Samples laid on the line of an audio clock, and taken from it as the clock goes. Pure: the audio thread and the tests use it.

interface Piece {
  start: number
  samples: Float32Array
}

/** More than this ahead of the clock is a mistake of whoever sends it. */
export const MOST_HELD_FRAMES = 1 << 19

export class Lane {
  private pieces: Piece[] = []
  private held = 0

  /** Put `samples` where they begin, in frames of the clock; what is there already stays as it is. */
  put(start: number, samples: Float32Array): void {
    const last = this.pieces.at(-1)
    const end = last ? last.start + last.samples.length : start
    const cut = Math.max(0, end - start)
    if (cut >= samples.length || this.held + samples.length > MOST_HELD_FRAMES) return
    this.pieces.push({ start: start + cut, samples: cut > 0 ? samples.subarray(cut) : samples })
    this.held += samples.length - cut
  }

  /** What sounds from `frame` on into `out`; silence where there is nothing. */
  take(frame: number, out: Float32Array): void {
    out.fill(0)
    const end = frame + out.length
    for (let first = this.pieces[0]; first && first.start < end; first = this.pieces[0]) {
      const stop = first.start + first.samples.length
      const from = Math.max(frame, first.start)
      if (stop > from) out.set(first.samples.subarray(from - first.start, Math.min(stop, end) - first.start), from - frame)
      if (stop > end) return
      this.held -= first.samples.length
      this.pieces.shift()
    }
  }

  clear(): void {
    this.pieces = []
    this.held = 0
  }
}
