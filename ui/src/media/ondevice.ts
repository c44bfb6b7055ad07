// What a device has recorded itself, being played: the device sends it, at its own pace, and we ask it to pause, to go
// elsewhere or faster. Its pictures carry no time of day; the time is reckoned from what was asked of the device.

import { chase } from './chase'
import { Feed, type Ticket } from './feed'
import { Pace, Reckoned } from './pace'
import { expose, type Probe } from './probe'
import { Rendered } from './rendered'
import { Sink } from './sink'
import { Sound } from './sound'
import { Watched } from './status'
import { canShow, codecName, soundDecoded } from './support'
import { onTick } from './ticker'
import { type InitText, Kind, type Packet, type ServerText } from './wire'

/** How far a session is, microseconds UTC. */
export interface Standing {
  position: number
  speed: number
  paused: boolean
}

export type Act = { action: 'pause' } | { action: 'resume' } | { action: 'seek'; at: number } | { action: 'speed'; speed: number }

/** What the platform does for a player of this kind. */
export interface Sessions {
  begin(start: number, end: number): Promise<Ticket & { session: string }>
  /** Another address of a session that runs. */
  address(session: string): Promise<Ticket>
  see(session: string): Promise<Standing>
  steer(session: string, act: Act): Promise<Standing>
  end(session: string): Promise<unknown>
}

export interface DeviceStatus {
  phase: 'idle' | 'opening' | 'running' | 'paused' | 'waiting' | 'ended' | 'lost' | 'unsupported'
  step: string
  params: Record<string, unknown>
  /** What the platform answered instead of a session. */
  problem: unknown
  seeking: boolean
  speed: number
  hasSound: boolean
  codec: string
}

const BEGIN: DeviceStatus = { phase: 'idle', step: '', params: {}, problem: null, seeking: false, speed: 1, hasSound: false, codec: '' }
const TARGET_SECONDS = 0.4
const KEEP_BEHIND_SECONDS = 6
const ASK_MS = 5000
const SECOND = 1e6
/** Of one session; what lies behind it needs another. */
const LONGEST = 24 * 3600 * SECOND

export class DevicePlayer {
  readonly status = new Watched<DeviceStatus>(BEGIN)
  private feed: Feed | null = null
  private sink: Sink
  private readonly rendered: Rendered
  private readonly sound = new Sound()
  private readonly stops: (() => void)[] = []
  private readonly pace = new Pace()
  private readonly reckoned: Reckoned
  private session = ''
  private start = 0
  private end = 0
  private pending: InitText | null = null
  private waitingForKey = true
  private shown = false
  /** The first picture from where we went: to be shown once it is buffered, media seconds of the connection. */
  private jump: number | null = null
  private jumping = false
  /** Where to go once the session that is being begun runs. */
  private afterwards: number | null = null
  private askedAt = 0
  private closed = false
  private steering: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly video: HTMLVideoElement,
    readonly channel: string,
    private readonly sessions: Sessions,
    at: number,
  ) {
    video.muted = true
    this.reckoned = new Reckoned(at)
    this.sink = this.newSink()
    this.rendered = new Rendered(video)
    this.stops.push(onTick((now) => this.tick(now)), expose(() => this.probe()))
  }

  /** Microseconds UTC of the shown picture, as far as that can be known. */
  get wall(): number {
    const late = this.shown && this.rendered.media >= 0 ? Math.max(0, (this.sink.end() ?? 0) - this.rendered.media) / this.pace.rate : 0
    return this.reckoned.at(performance.now()) - (this.reckoned.paused || this.jumping ? 0 : late * this.reckoned.speed * SECOND)
  }

  get playing(): boolean {
    return this.session !== '' && !this.reckoned.paused
  }

  /** Play from there. Within the session the device is asked to go there; else another session begins. */
  seek(at: number): void {
    const there = Math.floor(at / SECOND) * SECOND
    const inside = there >= this.start && there < this.end
    if (this.feed && !this.session && inside) {
      this.afterwards = there
      this.reckoned.stand(there, performance.now())
    } else if (!this.session || !inside) this.begin(there)
    else this.steer({ action: 'seek', at: there }, there)
  }

  play(): void {
    if (!this.session) this.begin(Math.floor(this.reckoned.at(performance.now()) / SECOND) * SECOND)
    else if (this.reckoned.paused) this.steer({ action: 'resume' })
  }

  pause(): void {
    if (!this.session || this.reckoned.paused) return
    this.video.pause()
    this.sound.clear()
    this.steer({ action: 'pause' })
  }

  setSpeed(speed: number): void {
    this.status.set({ speed })
    this.reckoned.wish = speed
    if (this.session) this.steer({ action: 'speed', speed })
  }

  setVolume(volume: number): void {
    this.video.muted = volume === 0
    this.video.volume = volume
    this.sound.setVolume(volume)
  }

  close(): void {
    this.closed = true
    this.leave()
    for (const stop of this.stops) stop()
    this.rendered.stop()
    this.sound.close()
    this.sink.close()
  }

  private begin(at: number): void {
    const end = Math.min(at + LONGEST, Math.floor(Date.now() / 1000) * SECOND)
    const left = this.leave()
    this.start = at
    this.end = end
    this.afterwards = null
    this.reckoned.stand(at, performance.now())
    this.reckoned.begins()
    this.jumping = this.shown
    this.status.set({ phase: 'opening', step: '', params: {}, problem: null, seeking: true })
    let first: string | null = null
    const feed: Feed = new Feed(
      async () => {
        // Recorders give out few sessions: the one before is ended before another is asked for.
        await left
        if (first === null) {
          const made = await this.sessions.begin(at, Math.max(end, at + SECOND))
          first = made.session
          if (this.feed !== feed) void this.sessions.end(made.session).catch(() => undefined)
          else {
            this.session = made.session
            if (this.afterwards !== null) this.steer({ action: 'seek', at: this.afterwards }, this.afterwards)
          }
          return made
        }
        return this.sessions.address(first)
      },
      {
        opened: () => {
          this.waitingForKey = true
          if (this.reckoned.wish !== 1 && this.reckoned.speed !== this.reckoned.wish) this.steer({ action: 'speed', speed: this.reckoned.wish })
        },
        packet: (packet) => this.take(packet),
        text: (text) => this.read(text),
        broken: (code, _, problem) => this.broken(code, problem),
      },
    )
    this.feed = feed
  }

  /** Let the session go, if there is one. */
  private leave(): Promise<unknown> {
    const session = this.session
    this.feed?.close()
    this.feed = null
    this.session = ''
    return session ? this.sessions.end(session).catch(() => undefined) : Promise.resolve()
  }

  // One request after the other: the device takes them in this order.
  private steer(act: Act, to?: number): void {
    const session = this.session
    if (to !== undefined) {
      this.reckoned.stand(to, performance.now())
      this.reckoned.resumed()
      this.jumping = true
      this.jump = null
      this.sound.clear()
      this.status.set({ seeking: true })
    }
    this.steering = this.steering.then(async () => {
      if (session !== this.session || this.closed) return
      try {
        let standing = await this.sessions.steer(session, act)
        // A player that was told to go somewhere plays on from there.
        if (to !== undefined && standing.paused) standing = await this.sessions.steer(session, { action: 'resume' })
        if (session !== this.session) return
        this.reckoned.told(standing, performance.now())
        this.pace.forget()
        this.status.set({ problem: null, phase: standing.paused ? 'paused' : 'running' })
      } catch (error) {
        if (session === this.session) this.refused(error)
      }
    })
  }

  private refused(problem: unknown): void {
    const gone = typeof problem === 'object' && problem !== null && 'code' in problem && problem.code === 'gb_no_session'
    this.status.set({ problem, seeking: false })
    this.jumping = false
    if (gone) this.over('lost')
  }

  /** No more will come of this session. */
  private over(phase: 'ended' | 'lost'): void {
    this.reckoned.stand(Math.min(this.wall, this.end), performance.now())
    this.reckoned.ends()
    void this.leave()
    this.jumping = false
    this.status.set({ phase, seeking: false })
  }

  private broken(code: string, problem: unknown): void {
    if (problem === null) {
      // The connection alone broke: the session lives for some seconds, and the feed asks for another address of it.
      this.status.set({ phase: 'waiting', step: code, params: {} })
      return
    }
    if (code === 'gb_no_session' && this.shown) {
      this.over(this.wall >= this.end - 2 * SECOND ? 'ended' : 'lost')
      this.status.set({ step: code })
      return
    }
    this.status.set({ problem, step: code })
    this.over('lost')
  }

  private newSink(): Sink {
    return new Sink(this.video, { grown: () => this.grown(), failed: (code) => this.failed(code) })
  }

  private take(packet: Packet): void {
    switch (packet.kind) {
      case Kind.init:
        if (this.pending) this.show(this.pending, packet)
        break
      case Kind.key:
      case Kind.delta:
        if ((this.waitingForKey && packet.kind !== Kind.key) || this.status.get().phase === 'unsupported') break
        if (this.waitingForKey) {
          this.sink.rebase()
          this.pace.forget()
          void this.look()
        }
        this.waitingForKey = false
        if (this.jumping && this.jump === null && packet.kind === Kind.key) this.jump = packet.media
        this.pace.heard(packet.media, performance.now())
        this.sink.append(packet.payload, packet.media, 0)
        break
      case Kind.sound:
        if (this.reckoned.speed === 1 && !this.reckoned.paused) this.sound.play(packet.payload)
        break
    }
  }

  private read(text: ServerText): void {
    if (text.type === 'init') this.pending = text
    else if (text.type === 'end') {
      if (text.code === 'closed' || text.code === 'end') this.over('ended')
    } else if (text.type === 'state') {
      if (text.step === 'end') this.over('ended')
      else if (text.state === 'lost' && !this.reckoned.paused) {
        this.status.set({ step: text.step ?? '', params: text.params ?? {} })
        this.over('lost')
      } else if (text.state === 'running') this.status.set({ step: '', params: {} })
    }
  }

  private show(init: InitText, packet: Packet): void {
    if (!canShow(init.mime)) {
      this.status.set({ phase: 'unsupported', step: 'device_codec_unsupported', params: { codec: codecName(init.codec) }, seeking: false })
      void this.leave()
      return
    }
    this.sink.init(init.mime, packet.payload)
    this.sound.format = init.audio && !init.mime.includes('mp4a') ? init.audio : null
    this.status.set({ codec: init.codec, hasSound: init.audio !== null, step: '', params: {}, problem: null })
  }

  private failed(code: string): void {
    if (code === 'no_media_source' || code === 'codec_unsupported') {
      this.status.set({ phase: 'unsupported', step: code === 'codec_unsupported' ? 'device_codec_unsupported' : code, params: { codec: codecName(this.pending?.codec ?? '') }, seeking: false })
      void this.leave()
      return
    }
    this.sink.close()
    this.sink = this.newSink()
    this.waitingForKey = true
    this.jumping = this.shown = false
    this.feed?.restart()
  }

  private grown(): void {
    if (!this.shown && this.sink.start() !== null) {
      this.shown = true
      this.video.currentTime = this.sink.start() ?? 0
    }
    this.goThere()
    if (this.playing && this.video.paused) void this.video.play().catch(() => undefined)
  }

  private goThere(): void {
    if (!this.jumping || this.jump === null) {
      if (!this.jumping && this.shown) this.status.set({ seeking: false })
      return
    }
    const place = this.sink.toVideo(this.jump)
    const end = this.sink.end()
    if (place === null || end === null || end <= place) return
    this.video.currentTime = place + 0.001
    this.jumping = false
    this.jump = null
    this.status.set({ seeking: false })
  }

  private async look(): Promise<void> {
    const session = this.session
    if (!session) return
    this.askedAt = performance.now()
    try {
      const standing = await this.sessions.see(session)
      if (session === this.session && !this.jumping) this.reckoned.told(standing, performance.now())
    } catch {
      // it is asked again, and the stream itself tells of its end
    }
  }

  private tick(now: number): void {
    this.feed?.check(now)
    this.rendered.poll(now)
    if (this.video.error) {
      this.failed('not_decodable')
      return
    }
    if (this.session && this.shown && !this.reckoned.paused && now - this.askedAt > ASK_MS) void this.look()
    this.goThere()
    this.follow(now)
    this.sink.trim(this.video.currentTime - KEEP_BEHIND_SECONDS)
    this.report()
  }

  private follow(now: number): void {
    const ranges = this.sink.ranges()
    if (!ranges || ranges.length === 0 || !this.playing || document.hidden) return
    const at = this.video.currentTime
    const rate = this.pace.at(now)
    const { reach, next } = this.sink.around(at)
    // Told in seconds of waiting, so that the same rules hold at every speed.
    const end = this.sink.walls.edge(ranges.end(ranges.length - 1))
    const move = chase({ at: at / rate, reach: reach === null ? null : reach / rate, next: next === null ? null : next / rate, end: end / rate, target: TARGET_SECONDS, young: false })
    if ('jump' in move) this.video.currentTime = move.jump * rate
    else {
      const wanted = Math.min(16, Math.max(0.0625, Math.round(rate * move.rate * 20) / 20))
      if (this.video.playbackRate !== wanted) this.video.playbackRate = wanted
    }
    if (this.video.paused) void this.video.play().catch(() => undefined)
  }

  private report(): void {
    const { phase } = this.status.get()
    if (this.session && this.shown && phase !== 'unsupported') {
      if (this.reckoned.paused) this.status.set({ phase: 'paused' })
      else if (phase !== 'lost' && phase !== 'ended') {
        const ahead = (this.sink.end() ?? 0) - this.video.currentTime
        this.status.set({ phase: ahead < 0.02 ? 'waiting' : 'running' })
      }
    }
    this.video.dataset['phase'] = this.status.get().phase
  }

  private probe(): Probe {
    const { phase, seeking, step, codec } = this.status.get()
    const end = this.sink.end() ?? 0
    return {
      channel: this.channel, kind: 'playback', currentTime: this.video.currentTime, decoded: this.rendered.decoded, dropped: this.rendered.droppedFrames,
      wall: this.wall, phase: seeking ? 'seeking' : phase, step, age: 0, quality: 'main', codec, ahead: end - this.video.currentTime,
      held: end - (this.sink.start() ?? end), rate: this.video.playbackRate, skipped: this.sink.dropped,
      sound: this.sound.kind || (this.video.muted || soundDecoded(this.video) === 0 ? '' : 'element'),
      sounded: this.sound.sounded + soundDecoded(this.video), level: this.sound.level, soundLate: 0,
    }
  }
}
