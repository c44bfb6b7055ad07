// One MediaSource behind one <video>: appends in order, rebases runs so that media time only grows, trims what was seen.

import { mediaSource } from './support'
import { Walls } from './walls'

type Task =
  | { what: 'type'; mime: string }
  | { what: 'rebase' }
  | { what: 'append'; bytes: Uint8Array<ArrayBuffer>; media: number; wall: number; rate: number }
  | { what: 'remove'; start: number; end: number }

const MAX_QUEUED = 600
const MAX_JOINED_BYTES = 1 << 20

export interface SinkEvents {
  /** Something was added to the buffer. */
  grown(): void
  /** The browser refused the data: the code says why. */
  failed(code: string): void
}

export interface Around {
  /** End of the stretch that holds the moment, or null where it is in none. */
  reach: number | null
  /** Start of the next stretch behind the moment, or null. */
  next: number | null
}

/** A browser counts a moment just before a stretch to it. */
const AT_ITS_DOOR_SECONDS = 0.05

export function around(ranges: TimeRanges | null, at: number): Around {
  const found: Around = { reach: null, next: null }
  for (let index = 0; ranges && index < ranges.length; index += 1) {
    if (ranges.start(index) <= at + AT_ITS_DOOR_SECONDS && at < ranges.end(index) + 0.001) found.reach = ranges.end(index)
    else if (ranges.start(index) > at && found.next === null) found.next = ranges.start(index)
  }
  return found
}

export class Sink {
  readonly walls = new Walls()
  /** Fragments dropped because the browser could not keep up. */
  dropped = 0
  private source: MediaSource | null = null
  private buffer: SourceBuffer | null = null
  private tasks: Task[] = []
  private mime = ''
  private offset = 0
  private address = ''
  private closed = false

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: SinkEvents,
  ) {
    this.open()
  }

  /** A new run begins: `mime` may differ from the last one. */
  init(mime: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.tasks.push({ what: 'type', mime }, { what: 'append', bytes, media: -1, wall: 0, rate: 1 })
    this.pump()
  }

  /** A new connection counts its media time anew: the next fragment is put right behind what is there. */
  rebase(): void {
    this.tasks.push({ what: 'rebase' })
  }

  /** `rate`: wall seconds per media second inside the fragment (0: one still). */
  append(bytes: Uint8Array<ArrayBuffer>, media: number, wall: number, rate = 1): void {
    if (this.tasks.length >= MAX_QUEUED) {
      this.dropped += 1
      return
    }
    this.tasks.push({ what: 'append', bytes, media, wall, rate })
    this.pump()
  }

  /** The connection's media seconds as seconds of the <video>, or null before its first fragment was appended. */
  toVideo(media: number): number | null {
    return this.tasks.some((task) => task.what === 'rebase') || !this.buffer ? null : media + this.offset
  }

  /** Drop what lies before `before` (media seconds). */
  trim(before: number): void {
    const start = this.start()
    if (this.buffer && start !== null && before - start > 1 && !this.tasks.some((task) => task.what === 'remove')) {
      this.tasks.push({ what: 'remove', start: 0, end: before })
      this.walls.trim(before)
      this.pump()
    }
  }

  ranges(): TimeRanges | null {
    try {
      return this.buffer?.buffered ?? null
    } catch {
      return null // the browser took the buffer away with its source
    }
  }

  /** Where the buffered stretch that holds `at` ends, and where the next one behind it begins (media seconds). */
  around(at: number): Around {
    return around(this.ranges(), at)
  }

  start(): number | null {
    const ranges = this.ranges()
    return ranges && ranges.length > 0 ? ranges.start(0) : null
  }

  end(): number | null {
    const ranges = this.ranges()
    return ranges && ranges.length > 0 ? ranges.end(ranges.length - 1) : null
  }

  get queued(): number {
    return this.tasks.length
  }

  close(): void {
    this.closed = true
    this.tasks = []
    this.walls.clear()
    if (this.address) URL.revokeObjectURL(this.address)
    this.video.removeAttribute('src')
    this.video.load()
    this.source = null
    this.buffer = null
  }

  private open(): void {
    const Source = mediaSource()
    if (!Source) {
      this.events.failed('no_media_source')
      return
    }
    const source = new Source()
    this.source = source
    this.address = URL.createObjectURL(source)
    this.video.disableRemotePlayback = true
    this.video.src = this.address
    source.addEventListener('sourceopen', () => this.pump(), { once: true })
  }

  private pump(): void {
    if (this.closed || !this.source || this.source.readyState !== 'open') return
    while (this.tasks.length > 0 && !this.buffer?.updating) {
      if (!this.step(this.tasks[0]!)) return
    }
  }

  private step(task: Task): boolean {
    try {
      switch (task.what) {
        case 'type':
          this.tasks.shift()
          this.useType(task.mime)
          return true
        case 'rebase':
          return this.stepRebase()
        case 'remove':
          this.tasks.shift()
          this.buffer?.remove(task.start, task.end)
          return true
        case 'append':
          this.appendJoined()
          return true
      }
    } catch (error) {
      this.refused(error)
      return false
    }
  }

  private useType(mime: string): void {
    if (!this.source) return
    if (!this.buffer) {
      this.buffer = this.source.addSourceBuffer(mime)
      this.buffer.mode = 'segments'
      this.buffer.addEventListener('updateend', () => {
        this.events.grown()
        this.pump()
      })
      this.buffer.addEventListener('error', () => this.events.failed('not_decodable'))
    } else if (mime !== this.mime) {
      this.buffer.changeType(mime)
    }
    this.mime = mime
  }

  // The offset depends on the first fragment of the run, so it waits until that one is there.
  private stepRebase(): boolean {
    const next = this.tasks[1]
    if (!next) return false
    this.tasks.shift()
    if (next.what === 'append' && next.media >= 0 && this.buffer) {
      this.offset = Math.max(this.end() ?? 0, this.video.currentTime) - next.media
      this.buffer.timestampOffset = this.offset
    } else if (next.what === 'remove') {
      this.tasks.splice(1, 0, { what: 'rebase' })
    }
    return true
  }

  private appendJoined(): void {
    const parts: Uint8Array<ArrayBuffer>[] = []
    let size = 0
    while (this.tasks[0]?.what === 'append' && (parts.length === 0 || size + this.tasks[0].bytes.length < MAX_JOINED_BYTES)) {
      const task = this.tasks.shift() as Extract<Task, { what: 'append' }>
      if (task.media >= 0) this.walls.push(task.media + this.offset, task.wall, task.rate)
      parts.push(task.bytes)
      size += task.bytes.length
    }
    this.buffer?.appendBuffer(parts.length === 1 ? parts[0]! : joined(parts, size))
  }

  private refused(error: unknown): void {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') {
      this.trim(this.video.currentTime - 1)
      return
    }
    this.events.failed(error instanceof DOMException && error.name === 'NotSupportedError' ? 'codec_unsupported' : 'not_decodable')
  }
}

function joined(parts: Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
