// One live picture: WebSocket in, <video> out, at the live edge, honest about its age.

import { chase, nextTarget } from './chase'
import { Feed, type Ticket } from './feed'
import { expose, type Probe } from './probe'
import { Rendered } from './rendered'
import { Sink } from './sink'
import { Sound } from './sound'
import { NOTHING, type PlayerStatus, Watched } from './status'
import { canShow, codecName, soundDecoded } from './support'
import { onTick } from './ticker'
import { type InitText, Kind, type Packet, type ServerText } from './wire'

export const STALE_SECONDS = 3
const KEEP_BEHIND_SECONDS = 6
const YOUNG_MS = 1500

export interface LiveOptions {
  channel: string
  quality: 'main' | 'sub'
  ask: (quality: 'main' | 'sub') => Promise<Ticket>
}

export class LivePlayer {
  readonly status = new Watched<PlayerStatus>({ ...NOTHING, phase: 'opening' })
  private readonly feed: Feed
  private sink: Sink
  private readonly rendered: Rendered
  private readonly sound = new Sound()
  private readonly stops: (() => void)[] = []
  private quality: 'main' | 'sub'
  private pending: InitText | null = null
  private refused = new Set<string>()
  /** What the main stream is made of, where this browser cannot decode that and the sub stream was asked for instead. */
  private insteadOf = ''
  private receivedAt = 0
  private firstAt = 0
  private target = 0.2
  private skipped = 0
  private waitingForKey = true
  private stalls = 0

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly options: LiveOptions,
  ) {
    this.quality = options.quality
    video.muted = true
    this.sink = this.newSink()
    this.rendered = new Rendered(video)
    this.feed = new Feed(() => options.ask(this.quality), {
      opened: () => this.opened(),
      packet: (packet) => this.take(packet),
      text: (text) => this.read(text),
      broken: (code, seconds, problem) => this.broken(code, seconds, problem),
    })
    const waiting = () => {
      this.stalls += 1
    }
    video.addEventListener('waiting', waiting)
    this.stops.push(
      () => video.removeEventListener('waiting', waiting),
      onTick((now) => this.tick(now)),
      expose(() => this.probe()),
    )
  }

  /** Another quality, because the tile changed its size. */
  setQuality(quality: 'main' | 'sub'): void {
    if (quality === this.quality || this.refused.has(quality)) return
    this.quality = quality
    this.waitingForKey = true
    this.feed.restart()
  }

  /** Volume 0..1; 0 is silence. Must first be called from a gesture: browsers insist. */
  setVolume(volume: number): void {
    this.video.muted = volume === 0
    this.video.volume = volume
    this.sound.setVolume(volume)
  }

  close(): void {
    for (const stop of this.stops) stop()
    this.feed.close()
    this.rendered.stop()
    this.sound.close()
    this.sink.close()
  }

  private newSink(): Sink {
    return new Sink(this.video, {
      grown: () => this.grown(),
      failed: (code) => this.failed(code),
    })
  }

  private opened(): void {
    this.firstAt = 0
    this.waitingForKey = true
  }

  private take(packet: Packet): void {
    switch (packet.kind) {
      case Kind.init:
        if (this.pending) this.begin(this.pending, packet)
        break
      case Kind.key:
      case Kind.delta:
        if ((this.waitingForKey && packet.kind !== Kind.key) || this.status.get().phase === 'unsupported') return
        if (this.waitingForKey) this.sink.rebase()
        this.waitingForKey = false
        this.receivedAt = performance.now()
        this.sink.append(packet.payload, packet.media, packet.wall)
        break
      case Kind.sound:
        this.sound.play(packet.payload)
        break
    }
  }

  private read(text: ServerText): void {
    switch (text.type) {
      case 'init':
        this.pending = text
        break
      case 'state':
        if (this.status.get().phase === 'unsupported') break
        if (text.state === 'running') this.status.set({ step: '', params: {} })
        else if (text.state === 'lost' && this.insteadOf) this.notDecodable(this.insteadOf)
        else this.status.set({ phase: text.state === 'lost' ? 'lost' : 'opening', step: text.step ?? '', params: text.params ?? {} })
        break
      case 'skipped':
        this.skipped += text.units
        break
      default:
        break
    }
  }

  private begin(init: InitText, packet: Packet): void {
    if (!canShow(init.mime)) {
      this.cannotShow(init)
      return
    }
    this.sink.init(init.mime, packet.payload)
    this.insteadOf = ''
    this.sound.format = init.audio && !init.mime.includes('mp4a') ? init.audio : null
    if (this.status.get().phase === 'unsupported') this.status.set({ phase: 'opening' })
    this.status.set({
      quality: init.quality, codec: init.codec, width: init.width, height: init.height,
      hasSound: init.audio !== null, step: '', params: {},
    })
  }

  // H.265 where the browser has no decoder: the sub stream is H.264 on most cameras; else we say so.
  private cannotShow(init: InitText): void {
    // A camera without the stream that was asked for answers with the one it has.
    this.refused.add(init.quality).add(this.quality)
    if (init.quality === 'main' && !this.refused.has('sub')) {
      this.quality = 'sub'
      this.insteadOf = init.codec
      this.feed.restart()
      return
    }
    this.notDecodable(init.codec)
  }

  private notDecodable(codec: string): void {
    this.status.set({ phase: 'unsupported', step: 'codec_unsupported', params: { codec: codecName(codec) }, codec })
  }

  private broken(code: string, seconds: number, problem: unknown): void {
    const params = typeof problem === 'object' && problem !== null && 'params' in problem ? problem.params : {}
    if (this.status.get().phase === 'unsupported') return
    // The device did not give the sub stream. That the main one cannot be decoded here is what the viewer has to know.
    if (this.insteadOf && problem !== null && code !== 'unreachable') {
      this.notDecodable(this.insteadOf)
      return
    }
    this.status.set({ phase: 'lost', step: code, params: { ...(params as object), seconds: Math.ceil(seconds) } })
  }

  private failed(code: string): void {
    if (code === 'no_media_source' || code === 'codec_unsupported') {
      this.status.set({ phase: 'unsupported', step: code, params: { codec: codecName(this.pending?.codec ?? '') } })
      return
    }
    // A decoder error ends the MediaSource for good: begin anew with a fresh one.
    this.status.set({ phase: 'lost', step: code })
    this.sink.close()
    this.sink = this.newSink()
    this.waitingForKey = true
    this.feed.restart()
  }

  private grown(): void {
    if (this.video.paused) void this.video.play().catch(() => undefined)
    if (this.firstAt === 0 && this.sink.start() !== null) {
      this.firstAt = performance.now()
      const end = this.sink.end() ?? 0
      if (this.video.currentTime < end - 2) this.video.currentTime = Math.max(this.sink.start() ?? 0, end - this.target)
    }
  }

  private tick(now: number): void {
    this.feed.check(now)
    this.rendered.poll(now)
    if (this.video.error) {
      this.failed('not_decodable')
      return
    }
    this.follow(now)
    this.sink.trim(this.video.currentTime - KEEP_BEHIND_SECONDS)
    this.report(now)
  }

  private follow(now: number): void {
    const ranges = this.sink.ranges()
    if (!ranges || ranges.length === 0 || document.hidden) return
    const at = this.video.currentTime
    let { reach, next } = this.sink.around(at)
    // Browsers wait well before the end of a range, and join ranges over lost pictures to sit through the time between.
    const waits = this.video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA
    const hole = this.sink.walls.overHole(at, waits)
    if (hole !== null) next = hole
    if (hole !== null || (waits && next !== null)) reach = at
    this.target = nextTarget(this.target, this.stalls > 0 && this.receivedAt > now - 1000)
    this.stalls = 0
    const young = this.firstAt > 0 && now - this.firstAt < YOUNG_MS
    const end = this.sink.walls.edge(ranges.end(ranges.length - 1))
    const move = chase({ at, reach, next, end, target: this.target, young })
    if ('jump' in move) this.video.currentTime = move.jump
    else if (this.video.playbackRate !== move.rate) this.video.playbackRate = move.rate
  }

  private report(now: number): void {
    const last = Math.min(this.receivedAt, this.rendered.shownAt || this.receivedAt)
    const age = this.receivedAt === 0 ? -1 : Math.max(0, (now - last) / 1000)
    const { phase } = this.status.get()
    const shown = this.receivedAt > 0 && age < STALE_SECONDS
    const wall = this.rendered.media >= 0 ? this.sink.walls.at(this.rendered.media) : 0
    if (phase === 'unsupported') return
    if (shown && this.rendered.frames + this.rendered.decoded > 0) this.status.set({ phase: 'running', step: '', params: {} })
    else if (!shown && phase === 'running') this.status.set({ phase: 'stale', step: this.status.get().step || 'no_frame' })
    // The line on the tile shows whole seconds; tenths would only make React work.
    const whole = age < 0 ? -1 : age < 1 ? 0 : Math.floor(age)
    this.status.set({ age: whole, wall: Math.floor(wall / 1e6) * 1e6 })
    this.video.dataset['phase'] = this.status.get().phase
  }

  private probe(): Probe {
    const status = this.status.get()
    const end = this.sink.end() ?? 0
    return {
      channel: this.options.channel,
      kind: 'live',
      currentTime: this.video.currentTime,
      decoded: this.rendered.decoded,
      dropped: this.rendered.droppedFrames,
      wall: this.rendered.media >= 0 ? this.sink.walls.at(this.rendered.media) : 0,
      phase: status.phase,
      step: status.step,
      age: this.receivedAt === 0 ? -1 : (performance.now() - this.receivedAt) / 1000,
      quality: status.quality,
      codec: status.codec,
      ahead: end - this.video.currentTime,
      held: end - (this.sink.start() ?? end),
      rate: this.video.playbackRate,
      skipped: this.skipped + this.sink.dropped,
      sound: this.sound.kind || (this.video.muted || soundDecoded(this.video) === 0 ? '' : 'element'),
      sounded: this.sound.sounded + soundDecoded(this.video),
      level: this.sound.level,
      soundLate: 0,
    }
  }
}
