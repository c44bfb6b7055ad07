// Which picture the eye sees: the media time of the newest frame the browser put on the screen.

const STEPS = 8
/** Seconds between pictures, where nothing is known yet. */
const LONGEST_STEP = 1

export class Rendered {
  /** Media time of the shown frame, seconds; -1 before the first. */
  media = -1
  /** performance.now() when it was shown. */
  shownAt = 0
  frames = 0
  private steps: number[] = []
  private handle = 0
  private stopped = false
  private readonly hasCallbacks = 'requestVideoFrameCallback' in HTMLVideoElement.prototype

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly changed: () => void = () => undefined,
  ) {
    if (this.hasCallbacks) this.wait()
  }

  /** For browsers without frame callbacks, and against a callback that never came back. */
  poll(now: number): void {
    const total = this.decoded
    if (!this.hasCallbacks && total !== this.frames) {
      this.frames = total
      this.media = this.video.currentTime
      this.shownAt = now
      this.changed()
    }
  }

  get decoded(): number {
    return this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0
  }

  get droppedFrames(): number {
    return this.video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0
  }

  /**
   * Whether a standing video shows another picture than we were told of: one that came onto the screen between two
   * callbacks is told to nobody, and of a video that stands no other one follows.
   */
  get missed(): boolean {
    if (this.media < 0) return this.video.readyState >= 2
    return Math.abs(this.video.currentTime - this.media) > 1.05 * Math.min(LONGEST_STEP, ...this.steps)
  }

  stop(): void {
    this.stopped = true
    if (this.handle && 'cancelVideoFrameCallback' in this.video) this.video.cancelVideoFrameCallback(this.handle)
  }

  private wait(): void {
    this.handle = this.video.requestVideoFrameCallback((now, frame) => {
      if (this.stopped) return
      const step = frame.mediaTime - this.media
      if (this.media >= 0 && step > 0.001 && step < 2) this.steps = [...this.steps.slice(1 - STEPS), step]
      this.media = frame.mediaTime
      this.shownAt = now
      this.frames += 1
      this.changed()
      this.wait()
    })
  }
}
