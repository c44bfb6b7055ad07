// How fast a device sends, and where that has brought it: pure, told the time.

/** Media seconds that come in a second, over the last few seconds. */
export class Pace {
  rate = 1
  private heardAt: { media: number; now: number }[] = []

  /** A picture with this media time came; `now` in milliseconds. */
  heard(media: number, now: number): void {
    const last = this.heardAt.at(-1)
    if (last && media < last.media) this.heardAt = []
    this.heardAt.push({ media, now })
    while (this.heardAt.length > 2 && now - this.heardAt[0]!.now > 3000) this.heardAt.shift()
  }

  /** It was asked to go at another speed, or went elsewhere: what came before says nothing any more. */
  forget(): void {
    this.heardAt = []
  }

  /** As of `now`. The first half second says too little: until then it is as before. */
  at(now: number): number {
    const first = this.heardAt[0]
    const last = this.heardAt.at(-1)
    if (first && last && now - last.now < 3000 && last.now - first.now > 500) {
      this.rate = Math.min(16, Math.max(0.1, ((last.media - first.media) * 1000) / (last.now - first.now)))
    }
    return this.rate
  }
}

interface Told {
  position: number
  speed: number
  paused: boolean
}

/** Where a device's playback stands, microseconds UTC, between the moments at which the platform tells. */
export class Reckoned {
  speed = 1
  paused = false
  /** The speed that the next session is to have. */
  wish = 1
  private since: number | null = null

  constructor(private base: number) {}

  /** It stands there at `now` (milliseconds). */
  stand(at: number, now: number): void {
    this.base = at
    if (this.since !== null) this.since = now
  }

  told(standing: Told, now: number): void {
    this.base = standing.position
    this.speed = standing.speed
    this.paused = standing.paused
    this.since = now
  }

  /** A new session: it runs at normal speed, and no picture has come yet. */
  begins(): void {
    this.speed = 1
    this.paused = false
    this.since = null
  }

  resumed(): void {
    this.paused = false
  }

  /** Nothing moves any more. */
  ends(): void {
    this.since = null
  }

  at(now: number): number {
    return this.base + (this.since === null || this.paused ? 0 : (now - this.since) * 1000 * this.speed)
  }
}
