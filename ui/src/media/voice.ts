// AAC beside the pictures: an <audio> of its own follows the <video>. What is missing, late or broken here is silence; no
// picture ever waits for it, as it would for a second track or buffer of its MediaSource.

import { canShow, mediaSource, soundDecoded } from './support'

type Piece = { mime: string; media: -1; bytes: Uint8Array<ArrayBuffer> } | { media: number; bytes: Uint8Array<ArrayBuffer> }

const MOST_PIECES = 400
const KEEP_BEHIND_SECONDS = 2
const TRIM_BEHIND_SECONDS = 10
const AGAIN_MS = 2000
const LEAST_AHEAD_SECONDS = 0.05

/** How sound that is `late` seconds behind its picture (negative: ahead) gets back to it; `hurried`: it is on its way already. */
export function pace(late: number, hurried: boolean): { jump: boolean; rate: number } {
  const size = Math.abs(late)
  if (size > 0.25) return { jump: true, rate: 1 }
  if (size > (hurried ? 0.02 : 0.06)) return { jump: false, rate: late > 0 ? 1.04 : 0.96 }
  return { jump: false, rate: 1 }
}

export class Voice {
  /** Seconds the sound is behind its picture; 0 where there is none. */
  late = 0
  private pieces: Piece[] = []
  /** How many of `pieces` were given to the browser. */
  private given = 0
  private audio: HTMLAudioElement | null = null
  private source: MediaSource | null = null
  private buffer: SourceBuffer | null = null
  private address = ''
  private mime = ''
  private offset = 0
  private volume = 0
  private failedAt = Number.NEGATIVE_INFINITY

  /** `toVideo`: seconds of the connection as seconds of the <video>, null while that is not known. */
  constructor(private readonly toVideo: (media: number) => number | null) {}

  /** Bytes of sound the browser decoded, where it tells. */
  get decoded(): number {
    return this.audio ? soundDecoded(this.audio) : 0
  }

  /** A run with sound begins. False where the browser cannot play it. */
  begin(mime: string, bytes: Uint8Array<ArrayBuffer>): boolean {
    if (!canShow(mime)) return false
    this.pieces.push({ mime, media: -1, bytes })
    return true
  }

  add(media: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.pieces.length < MOST_PIECES) this.pieces.push({ media, bytes })
  }

  setVolume(volume: number): void {
    this.volume = volume
    if (volume === 0) this.shut()
    else if (this.audio) this.audio.volume = volume
  }

  /** Silence until `follow` says otherwise. */
  stop(): void {
    this.audio?.pause()
  }

  /** Another connection: its seconds are counted anew. */
  forget(): void {
    this.shut()
    this.pieces = []
  }

  /** The picture is at `at`; `playing` as it should be heard, `rate` the picture's own. Called a few times a second. */
  follow(at: number, playing: boolean, rate: number, now: number): void {
    this.drop(at - KEEP_BEHIND_SECONDS)
    if (this.volume === 0 || this.pieces.length === 0) return
    if (!this.audio && now - this.failedAt > AGAIN_MS) this.open()
    const audio = this.audio
    if (!audio) return
    if (audio.error) {
      this.failed(now)
      return
    }
    this.pump(at)
    if (!playing || !this.reaches(at)) {
      this.late = 0
      audio.pause()
      return
    }
    this.late = at - audio.currentTime
    const move = pace(this.late, audio.playbackRate !== rate)
    if (audio.paused || move.jump) audio.currentTime = at
    if (audio.playbackRate !== rate * move.rate) audio.playbackRate = rate * move.rate
    if (audio.paused) void audio.play().catch(() => undefined)
  }

  close(): void {
    this.forget()
  }

  private open(): void {
    const Source = mediaSource()
    if (!Source) return
    const source = new Source()
    const audio = new Audio()
    audio.disableRemotePlayback = true
    audio.volume = this.volume
    this.source = source
    this.audio = audio
    this.address = URL.createObjectURL(source)
    audio.src = this.address
  }

  private shut(): void {
    if (this.address) URL.revokeObjectURL(this.address)
    this.audio?.pause()
    this.audio?.removeAttribute('src')
    this.audio?.load()
    this.audio = this.source = this.buffer = null
    this.address = this.mime = ''
    this.given = 0
    this.offset = 0
    this.late = 0
  }

  private failed(now: number): void {
    this.failedAt = now
    this.shut()
  }

  private reaches(at: number): boolean {
    const ranges = this.buffer?.buffered
    for (let index = 0; index < (ranges?.length ?? 0); index += 1) {
      if (ranges!.start(index) <= at && at + LEAST_AHEAD_SECONDS < ranges!.end(index)) return true
    }
    return false
  }

  private pump(at: number): void {
    if (this.source?.readyState !== 'open') return
    try {
      for (let piece = this.pieces[this.given]; piece && !this.buffer?.updating; piece = this.pieces[this.given]) {
        if (!this.give(piece)) return
        this.given += 1
      }
      if (this.buffer && !this.buffer.updating && this.buffer.buffered.length > 0 && at - this.buffer.buffered.start(0) > 2 * TRIM_BEHIND_SECONDS) {
        this.buffer.remove(0, at - TRIM_BEHIND_SECONDS)
      }
    } catch {
      this.failed(performance.now())
    }
  }

  private give(piece: Piece): boolean {
    if ('mime' in piece) {
      if (this.buffer && piece.mime !== this.mime) this.buffer.changeType(piece.mime)
      this.buffer ??= this.newBuffer(piece.mime)
      this.mime = piece.mime
    } else {
      const at = this.toVideo(piece.media)
      if (at === null || !this.buffer) return false
      const offset = at - piece.media
      if (Math.abs(offset - this.offset) > 1e-4) this.buffer.timestampOffset = this.offset = offset
    }
    this.buffer?.appendBuffer(piece.bytes)
    return true
  }

  private newBuffer(mime: string): SourceBuffer {
    const buffer = this.source!.addSourceBuffer(mime)
    buffer.mode = 'segments'
    buffer.addEventListener('updateend', () => this.audio && this.pump(this.audio.currentTime))
    return buffer
  }

  /** Forget what lies before `before`; the last init stays, for what follows needs it. */
  private drop(before: number): void {
    let first = 0
    let init = -1
    for (; first < this.pieces.length; first += 1) {
      const piece = this.pieces[first]!
      if ('mime' in piece) {
        init = first
        continue
      }
      const at = this.toVideo(piece.media)
      if (at === null || at >= before) break
    }
    const kept = init < 0 ? [] : [this.pieces[init]!]
    if (first <= kept.length) return
    this.pieces.splice(0, first, ...kept)
    this.given = Math.max(this.given - first, 0) + (init >= 0 && init < this.given ? 1 : 0)
  }
}
