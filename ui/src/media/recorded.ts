// One recorded picture: the server lays out playing time (speed, gaps, backwards), we show it and tell the true time.

import { Feed, type Ticket } from './feed'
import { expose, type Probe } from './probe'
import { Rendered } from './rendered'
import { Sink } from './sink'
import { Sound } from './sound'
import { Watched } from './status'
import { canShow, codecName } from './support'
import { onTick } from './ticker'
import { Voice } from './voice'
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
const HELP_MS = 500
const MOST_LOOKS = 3
const REPORT_MS = 400
const GAP_SHOWN_MS = 3000
const HEARD_AHEAD_SECONDS = 0.5
/** A key that is held down asks for more than can be shown; what is beyond this is let go. */
const MOST_STEPS = 8
const HALF_A_TICK = 0.5 / MEDIA_HZ

export interface RecordedOptions {
  channel: string
  at: number
  /** How far before the asked instant a ticket reaches, microseconds. */
  before: number
  ask: (at: number) => Promise<Ticket>
  /** When a picture was taken, and the moment (`thumb`, rounded) that it answers. */
  onThumb?: (wall: number, asked: number, picture: Blob) => void
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
  private readonly voice = new Voice((media) => this.toVideo(media))
  private readonly stops: (() => void)[] = []
  private pending: InitText | null = null
  private wanted: number
  private jump: number | null = null
  private fresh = true
  private held = false
  private reportedAt = 0
  private gapAt = 0
  /** A gap that was told: the picture with this media time (negative: the next one that comes) is the first behind it. */
  private coming: { gap: NonNullable<RecordedStatus['gap']>; media: number } | null = null
  private heard: { media: number; bytes: Uint8Array }[] = []
  private over = false
  /** A place was asked for, and the server did not say yet where it lies. */
  private asked = false
  private stepping = false
  /** Where the last step led, until something else moves the picture: the browser may tell of the one before only now. */
  private stepped: number | null = null
  private helpedAt = 0
  /** Where a standing video was told to show its picture once more, and how often. */
  private again = { at: -1, times: 0 }
  /** Steps asked for while one is under way, forwards or (negative) backwards. */
  private steps = 0
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
    this.asked = true
    this.stepping = false
    this.stepped = null
    this.steps = 0
    this.coming = null
    this.hush()
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
    this.stepped = null
    this.speed = speed
    this.direction = direction
    if (!same) this.seek(at)
    else if (!this.held) void this.video.play().catch(() => undefined)
  }

  pause(): void {
    this.playing = false
    this.video.pause()
    this.showWhereItStands()
    this.hush()
    this.feed.send({ type: 'pause' })
    if (this.status.get().phase !== 'unsupported') this.status.set({ phase: 'paused' })
  }

  // A browser may stop in a picture that it never tells of. Shown once more, it is told, and steps go from there.
  private showWhereItStands(): void {
    if (this.rendered.media < 0 || this.jump !== null || this.asked || this.video.seeking) return
    const at = this.video.currentTime
    this.video.currentTime = at
  }

  step(direction: 1 | -1): void {
    const first = this.playing
    if (first) this.pause()
    // Where the step under way leads, only the server knows: the next one begins there.
    if (this.stepping) this.steps = Math.max(-MOST_STEPS, Math.min(MOST_STEPS, this.steps + direction))
    else this.goStep(direction, direction > 0 && first ? this.newest() : (this.stepped ?? this.wall))
  }

  /** The shown picture lies at or before this moment, and the next one behind it. */
  private newest(): number {
    return this.status.get().seeking || this.rendered.media < 0 ? this.wall : Math.max(this.wall, this.sink.walls.at(this.video.currentTime))
  }

  /**
   * What a browser may forget: to play on after a start that something broke off, and to tell of the picture that a
   * standing video shows. Shown once more, it is told once more.
   */
  private help(ahead: number): void {
    if (this.playing && this.video.paused && ahead > 0.2) void this.video.play().catch(() => undefined)
    else if (this.playing && this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.overHole()
    else if (!this.playing && !this.asked && this.rendered.missed) this.lookAgain()
  }

  // A browser waits for ever before a hole in what is buffered, however much lies behind it.
  private overHole(): void {
    const { next } = this.sink.around(this.video.currentTime)
    if (next !== null) this.video.currentTime = next + 0.001
  }

  private lookAgain(): void {
    const at = this.video.currentTime
    this.again = { at, times: this.again.at === at ? this.again.times + 1 : 1 }
    // A picture may really stand for long: where cameras send few, or at the edge of a hole.
    if (this.again.times <= MOST_LOOKS) this.video.currentTime = at
  }

  private goStep(direction: 1 | -1, at: number): void {
    this.stepping = this.asked = true
    this.wanted = at
    this.status.set({ seeking: true })
    this.feed.send({ type: 'step', direction, at: Math.round(at) })
  }

  thumb(at: number): void {
    this.feed.send({ type: 'thumb', at: Math.round(at) })
  }

  setVolume(volume: number): void {
    this.sound.setVolume(volume)
    this.voice.setVolume(volume)
  }

  /** Wait for the others without telling the server: what it sends ahead is bounded anyway. */
  hold(on: boolean): void {
    if (on === this.held) return
    this.held = on
    if (on) {
      this.video.pause()
      this.hush()
    } else if (this.playing) void this.video.play().catch(() => undefined)
  }

  nudge(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate
  }

  close(): void {
    for (const stop of this.stops) stop()
    this.feed.close()
    this.rendered.stop()
    this.sound.close()
    this.voice.close()
    this.sink.close()
  }

  // Nothing of what was sent ahead may be heard now; it stays for when playing goes on from here.
  private hush(): void {
    this.sound.clear()
    this.voice.stop()
  }

  /** Seconds of the connection as seconds of the <video>; null before its first picture is on the line. */
  private toVideo(media: number): number | null {
    return this.fresh ? null : this.sink.toVideo(media)
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
        this.stepping = false
        this.stepped = null
        this.steps = 0
        this.heard = []
        this.voice.forget()
        if (this.playing) this.feed.send({ type: 'play', at: Math.round(this.wall), speed: this.speed, direction: this.direction })
        else this.feed.send({ type: 'seek', at: Math.round(this.wall) })
      },
      packet: (packet) => this.take(packet),
      text: (text) => this.read(text),
      broken: (code, seconds, problem) => {
        // What this browser cannot decode, no other connection will make it decode.
        if (this.status.get().phase === 'unsupported') return
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
        if (this.status.get().phase === 'unsupported') break
        if (this.fresh) this.sink.rebase()
        this.fresh = false
        if (this.coming && this.coming.media < 0) this.coming.media = packet.media
        this.sink.append(packet.payload, packet.media, packet.wall, this.stills ? 0 : this.speed)
        break
      case Kind.sound:
        if (this.heard.length < 500) this.heard.push({ media: packet.media, bytes: packet.payload })
        break
      case Kind.voiceInit:
        if (this.pending?.audio?.mime && !this.voice.begin(this.pending.audio.mime, packet.payload)) this.status.set({ hasSound: false })
        break
      case Kind.voice:
        this.voice.add(packet.media, packet.payload)
        break
      case Kind.picture:
        this.options.onThumb?.(packet.wall, packet.ticks, pictureBlob(packet.payload))
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
        this.stepped = this.stepping ? text.at : null
        this.asked = this.stepping = false
        if (this.steps !== 0) {
          const direction = this.steps > 0 ? 1 : -1
          this.steps -= direction
          this.goStep(direction, text.at)
        }
        break
      case 'gap':
        // It is told when the server sends what lies behind it, seconds before that is shown.
        this.coming = { gap: { start: text.start, end: text.end, cause: text.cause }, media: -1 }
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
      this.status.set({ phase: 'unsupported', step: 'recorded_codec_unsupported', params: { codec: codecName(init.codec) }, seeking: false })
      return
    }
    this.sink.init(init.mime, packet.payload)
    this.sound.format = init.audio && !init.audio.mime ? init.audio : null
    this.status.set({ codec: init.codec, hasSound: init.audio !== null, step: '', phase: 'opening' })
  }

  private failed(code: string): void {
    if (code === 'no_media_source' || code === 'codec_unsupported') {
      const codec = codecName(this.pending?.codec ?? '')
      this.status.set({ phase: 'unsupported', step: code === 'codec_unsupported' ? 'recorded_codec_unsupported' : code, params: { codec }, seeking: false })
      return
    }
    this.status.set({ phase: 'lost', step: code })
    this.sink.close()
    this.sink = this.newSink()
    this.feed.restart()
  }

  private grown(): void {
    this.applyJump()
    if (this.playing && !this.held && this.video.paused && this.jump === null) void this.video.play().catch(() => undefined)
  }

  // The server tells where on its line the wanted picture lies; we go there once it is buffered. A browser that is sent
  // to the edge, where it is about to be, may end at the picture before and stand there.
  private applyJump(): void {
    if (this.jump === null) return
    const target = this.sink.toVideo(this.jump)
    const end = this.sink.end()
    const start = this.sink.start()
    if (target === null || end === null || start === null || end - target < HALF_A_TICK) return
    this.jump = null
    this.video.currentTime = Math.max(target + Math.min(0.001, (end - target) / 2), start)
    if (this.playing && !this.held) void this.video.play().catch(() => undefined)
  }

  private shown(): void {
    const wall = this.sink.walls.at(this.rendered.media)
    if (this.jump !== null || this.asked || wall <= 0) return
    this.status.set({ wall, seeking: false })
    const behind = this.coming && this.coming.media >= 0 ? this.toVideo(this.coming.media) : null
    if (this.coming && behind !== null && this.rendered.media >= behind - 0.001) {
      this.gapAt = performance.now()
      this.status.set({ gap: this.coming.gap })
      this.coming = null
    }
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
    if (now - this.helpedAt >= HELP_MS && this.jump === null && !this.held && !this.video.seeking) {
      this.helpedAt = now
      this.help(ahead)
    }
    if (this.playing && now - this.reportedAt >= REPORT_MS && this.jump === null) {
      this.reportedAt = now
      this.feed.send({ type: 'ahead', ms: Math.round(ahead * 1000) })
    }
    const audible = this.playing && !this.held && this.speed === 1 && this.direction === 1 && this.jump === null && ahead > 0.05
    if (audible) this.hear(at)
    this.voice.follow(at, audible && !this.video.paused, this.video.playbackRate, now)
    this.sink.trim(at - KEEP_BEHIND_SECONDS)
    this.report(now, ahead)
  }

  private hear(at: number): void {
    this.heard = this.heard.filter((piece) => {
      const place = this.toVideo(piece.media)
      if (place === null || place - at > HEARD_AHEAD_SECONDS) return true
      this.sound.playIn(piece.bytes, place - at)
      return false
    })
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
      rate: this.video.playbackRate, skipped: this.sink.dropped, sound: this.sound.kind || (this.voice.decoded > 0 ? 'element' : ''),
      sounded: this.sound.sounded + this.voice.decoded, level: this.sound.level, soundLate: this.voice.late,
    }
  }
}

function pictureBlob(bytes: Uint8Array<ArrayBuffer>): Blob {
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8
  return new Blob([bytes], { type: jpeg ? 'image/jpeg' : 'video/mp4' })
}
