// One recorded picture: the server lays out playing time (speed, gaps, backwards), we show it and tell the true time.

import { Feed, type Ticket } from './feed'
import { expose, type Probe } from './probe'
import { Rendered } from './rendered'
import { Sink } from './sink'
import { Sound } from './sound'
import { Watched } from './status'
import { canShow } from './support'
import { onTick } from './ticker'
import { type InitText, Kind, MEDIA_HZ, type Packet, type ServerText } from './wire'

export interface RecordedStatus {
  phase: 'opening' | 'running' | 'paused' | 'waiting' | 'gap' | 'ended' | 'lost' | 'unsupported'
  step: string
  params: Record<string, unknown>
  /** Microseconds UTC of the shown picture. */
  wall: number
  gap: { start: number; end: number; cause: string } | null
  codec: string
  hasSound: boolean
  seeking: boolean
}

const BEGIN: RecordedStatus = {
  phase: 'opening', step: '', params: {}, wall: 0, gap: null, codec: '', hasSound: false, seeking: false,
}

const KEEP_BEHIND_SECONDS = 10
const REPORT_MS = 400
const GAP_SHOWN_MS = 3000

export interface RecordedOptions {
  channel: string
  at: number
  /** How far before the asked instant a ticket reaches, microseconds. */
  before: number
  ask: (at: number) => Promise<Ticket>
  onThumb?: (wall: number, picture: Blob) => void
}

export class RecordedPlayer {
  readonly status = new Watched<RecordedStatus>(BEGIN)
  readonly channel: string
  speed = 1
  direction: 1 | -1 = 1
  playing = false
  private feed: Feed
  private sink: Sink
  private readonly rendered: Rendered
  private readonly sound = new Sound()
  private readonly stops: (() => void)[] = []
  private pending: InitText | null = null
  private wanted: number
  private jump: number | null = null
  private fresh = true
  private held = false
  private reportedAt = 0
  private gapAt = 0
  private heard: { media: number; bytes: Uint8Array }[] = []
  private over = false
  private reachesFrom = Number.NEGATIVE_INFINITY

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly options: RecordedOptions,
  ) {
    this.channel = options.channel
    this.wanted = options.at
    video.muted = true
    this.sink = this.newSink()
    this.rendered = new Rendered(video, () => this.shown())
    this.feed = this.newFeed()
    this.stops.push(onTick((now) => this.tick(now)), expose(() => this.probe()))
  }

  /** Microseconds UTC of the shown picture, or of the one asked for while it is on its way. */
  get wall(): number {
    return this.status.get().seeking || this.rendered.media < 0 ? this.wanted : this.status.get().wall || this.wanted
  }

  seek(at: number): void {
    this.wanted = at
    this.over = false
    this.heard = []
    this.status.set({ seeking: true, gap: null })
    if (at < this.reachesFrom) {
      this.feed.restart()
      return
    }
    if (this.playing) this.feed.send({ type: 'play', at: Math.round(at), speed: this.speed, direction: this.direction })
    else this.feed.send({ type: 'seek', at: Math.round(at) })
  }

  play(speed: number, direction: 1 | -1): void {
    const same = this.playing && speed === this.speed && direction === this.direction
    const at = this.wall
    this.playing = true
    this.speed = speed
    this.direction = direction
    if (!same) this.seek(at)
    else if (!this.held) void this.video.play().catch(() => undefined)
  }

  pause(): void {
    this.playing = false
    this.video.pause()
    this.feed.send({ type: 'pause' })
    this.status.set({ phase: 'paused' })
  }

  step(direction: 1 | -1): void {
    const at = this.wall
    if (this.playing) this.pause()
    // A second key while this step is under way counts from here, not from the last seek.
    this.wanted = at
    this.status.set({ seeking: true })
    this.feed.send({ type: 'step', direction, at: Math.round(at) })
  }

  thumb(at: number): void {
    this.feed.send({ type: 'thumb', at: Math.round(at) })
  }

  setVolume(volume: number): void {
    this.video.muted = volume === 0
    this.video.volume = volume
    this.sound.setVolume(volume)
  }

  /** Wait for the others without telling the server: what it sends ahead is bounded anyway. */
  hold(on: boolean): void {
    if (on === this.held) return
    this.held = on
    if (on) this.video.pause()
    else if (this.playing) void this.video.play().catch(() => undefined)
  }

  nudge(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate
  }

  close(): void {
    for (const stop of this.stops) stop()
    this.feed.close()
    this.rendered.stop()
    this.sound.close()
    this.sink.close()
  }

  private newSink(): Sink {
    return new Sink(this.video, { grown: () => this.grown(), failed: (code) => this.failed(code) })
  }

  private newFeed(): Feed {
    const ask = () => {
      this.reachesFrom = this.wall - this.options.before
      return this.options.ask(this.wall)
    }
    return new Feed(ask, {
      opened: () => {
        this.fresh = true
        if (this.playing) this.feed.send({ type: 'play', at: Math.round(this.wall), speed: this.speed, direction: this.direction })
        else this.feed.send({ type: 'seek', at: Math.round(this.wall) })
      },
      packet: (packet) => this.take(packet),
      text: (text) => this.read(text),
      broken: (code, seconds, problem) => {
        const params = typeof problem === 'object' && problem !== null && 'params' in problem ? (problem.params as object) : {}
        this.status.set({ phase: 'lost', step: code, params: { ...params, seconds: Math.ceil(seconds) } })
      },
    })
  }

  private take(packet: Packet): void {
    switch (packet.kind) {
      case Kind.init:
        if (this.pending) this.begin(this.pending, packet)
        break
      case Kind.key:
      case Kind.delta:
        if (this.fresh) this.sink.rebase()
        this.fresh = false
        this.sink.append(packet.payload, packet.media, packet.wall, this.stills ? 0 : this.speed)
        break
      case Kind.sound:
        if (this.heard.length < 500) this.heard.push({ media: packet.media, bytes: packet.payload })
        break
      case Kind.picture:
        this.options.onThumb?.(packet.wall, pictureBlob(packet.payload))
        break
    }
  }

  private get stills(): boolean {
    return this.direction < 0 || this.speed > 4
  }

  private read(text: ServerText): void {
    switch (text.type) {
      case 'init':
        this.pending = text
        break
      case 'position':
        this.wanted = text.at
        this.jump = text.media === undefined ? null : text.media / MEDIA_HZ
        this.over = false
        break
      case 'gap':
        this.gapAt = performance.now()
        this.status.set({ gap: { start: text.start, end: text.end, cause: text.cause } })
        break
      case 'end_of_footage':
        this.over = true
        this.status.set({ seeking: false })
        break
      default:
        break
    }
  }

  private begin(init: InitText, packet: Packet): void {
    if (!canShow(init.mime)) {
      this.status.set({ phase: 'unsupported', step: 'codec_unsupported', params: { codec: init.codec } })
      return
    }
    this.sink.init(init.mime, packet.payload)
    this.sound.format = init.audio && !init.mime.includes('mp4a') ? init.audio : null
    this.status.set({ codec: init.codec, hasSound: init.audio !== null, step: '', phase: 'opening' })
  }

  private failed(code: string): void {
    this.status.set({ phase: 'lost', step: code })
    this.sink.close()
    this.sink = this.newSink()
    this.feed.restart()
  }

  private grown(): void {
    this.applyJump()
    if (this.playing && !this.held && this.video.paused && this.jump === null) void this.video.play().catch(() => undefined)
  }

  // The server tells where on its line the wanted picture lies; we go there once it is buffered.
  private applyJump(): void {
    if (this.jump === null) return
    const target = this.sink.toVideo(this.jump)
    const end = this.sink.end()
    const start = this.sink.start()
    if (target === null || end === null || start === null || end < target) return
    this.jump = null
    this.video.currentTime = Math.max(target + 0.001, start)
    if (this.playing && !this.held) void this.video.play().catch(() => undefined)
  }

  private shown(): void {
    const wall = this.sink.walls.at(this.rendered.media)
    if (this.jump === null && wall > 0) this.status.set({ wall, seeking: false })
  }

  private tick(now: number): void {
    this.feed.check(now)
    this.rendered.poll(now)
    if (this.video.error) {
      this.failed('not_decodable')
      return
    }
    this.applyJump()
    const at = this.video.currentTime
    const ahead = Math.max(0, (this.sink.end() ?? at) - at)
    if (this.playing && now - this.reportedAt >= REPORT_MS && this.jump === null) {
      this.reportedAt = now
      this.feed.send({ type: 'ahead', ms: Math.round(ahead * 1000) })
    }
    this.hear(at)
    this.sink.trim(at - KEEP_BEHIND_SECONDS)
    this.report(now, ahead)
  }

  private hear(at: number): void {
    if (!this.playing || this.speed !== 1 || this.heard.length === 0) return
    const later: typeof this.heard = []
    for (const piece of this.heard) {
      const due = (this.sink.toVideo(piece.media) ?? at + 1) - at
      if (due > 0.5) later.push(piece)
      else if (due > -0.2) this.sound.playIn(piece.bytes, due)
    }
    this.heard = later
  }

  private report(now: number, ahead: number): void {
    const { phase, gap } = this.status.get()
    if (gap && now - this.gapAt > GAP_SHOWN_MS && !this.held) this.status.set({ gap: null })
    if (phase === 'lost' || phase === 'unsupported') {
      if (this.feed.isOpen && phase === 'lost' && ahead > 0) this.status.set({ phase: 'running', step: '' })
    } else if (this.over && ahead < 0.2) this.status.set({ phase: 'ended' })
    else if (this.held) this.status.set({ phase: 'gap' })
    else if (!this.playing) this.status.set({ phase: this.rendered.media < 0 ? 'opening' : 'paused' })
    else this.status.set({ phase: ahead < 0.05 ? 'waiting' : 'running' })
    this.video.dataset['phase'] = this.status.get().phase
  }

  private probe(): Probe {
    const end = this.sink.end() ?? 0
    return {
      channel: this.channel, kind: 'playback', currentTime: this.video.currentTime, decoded: this.rendered.decoded,
      dropped: this.rendered.droppedFrames, wall: this.rendered.media >= 0 ? this.sink.walls.at(this.rendered.media) : 0,
      phase: this.status.get().seeking ? 'seeking' : this.status.get().phase, step: this.status.get().step, age: 0, quality: 'main',
      codec: this.status.get().codec, ahead: end - this.video.currentTime, held: end - (this.sink.start() ?? end),
      rate: this.video.playbackRate, skipped: this.sink.dropped,
    }
  }
}

function pictureBlob(bytes: Uint8Array<ArrayBuffer>): Blob {
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8
  return new Blob([bytes], { type: jpeg ? 'image/jpeg' : 'video/mp4' })
}
