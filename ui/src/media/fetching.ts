// A stretch of a device's own recording, fetched faster than it was recorded, and kept as files that players open.

import { moveEarlier } from './fragments'
import { type InitText, Kind, MEDIA_HZ, readPacket, readText } from './wire'

export interface Fetched {
  /** One for each make of picture: a camera that was set up anew in between needs a second file. */
  files: Blob[]
  seconds: number
  bytes: number
  /** Pictures that this computer was too slow for. */
  lost: number
  /** G.711 comes beside the pictures, and the file has none of it. */
  soundApart: boolean
  /** Why it ended; `end` where the device has sent all. */
  ended: string
  params: Record<string, unknown>
}

/** Pieces are given to the browser in portions of this size: it may put them on the disk. */
const PORTION_BYTES = 32e6
/** More than this a browser may not hold. */
export const MOST_BYTES = 2e9

/** Puts the messages of the connection together; knows no sockets. */
export class Gathering {
  seconds = 0
  bytes = 0
  lost = 0
  soundApart = false
  private files: { parts: BlobPart[]; loose: BlobPart[]; looseBytes: number }[] = []
  private pending: InitText | null = null
  private waitingForKey = true
  private last = -1
  /** Media time of the file's first picture: it is to begin at zero. */
  private first = 0

  /** The reason once this message says that no more comes. */
  take(data: unknown): { ended: string; params: Record<string, unknown> } | null {
    if (typeof data === 'string') return this.read(data)
    const packet = data instanceof ArrayBuffer ? readPacket(data) : null
    if (!packet) return null
    if (packet.kind === Kind.init && this.pending) {
      this.files.push({ parts: [], loose: [], looseBytes: 0 })
      this.waitingForKey = true
      this.keep(packet.payload)
    } else if ((packet.kind === Kind.key || packet.kind === Kind.delta) && this.files.length > 0) {
      if (this.waitingForKey && packet.kind !== Kind.key) return null
      // Seconds between pictures count, those that lie in a hole of the recording do not.
      if (!this.waitingForKey && packet.media > this.last) this.seconds += Math.min(packet.media - this.last, 5)
      if (this.waitingForKey) this.first = packet.media
      this.waitingForKey = false
      this.last = packet.media
      moveEarlier(packet.payload, Math.round(this.first * MEDIA_HZ))
      this.keep(packet.payload)
    } else if (packet.kind === Kind.sound) this.soundApart = true
    return this.bytes > MOST_BYTES ? { ended: 'fetch_too_large', params: {} } : null
  }

  done(ended: string, params: Record<string, unknown>): Fetched {
    const { seconds, bytes, lost, soundApart } = this
    const files = this.files.map((file) => new Blob([...file.parts, ...file.loose], { type: 'video/mp4' }))
    return { files: seconds > 0 ? files : [], seconds, bytes, lost, soundApart, ended, params }
  }

  private read(data: string): { ended: string; params: Record<string, unknown> } | null {
    const text = readText(data)
    if (text?.type === 'init') this.pending = text
    else if (text?.type === 'skipped') this.lost += text.units
    else if (text?.type === 'end') return { ended: text.code === 'closed' ? 'end' : text.code, params: {} }
    else if (text?.type === 'state' && (text.step === 'end' || text.state === 'lost')) return { ended: text.step || 'gb_packets_stopped', params: text.params ?? {} }
    return null
  }

  private keep(bytes: Uint8Array<ArrayBuffer>): void {
    const file = this.files.at(-1)!
    file.loose.push(bytes)
    file.looseBytes += bytes.length
    this.bytes += bytes.length
    if (file.looseBytes < PORTION_BYTES) return
    file.parts.push(new Blob(file.loose))
    file.loose = []
    file.looseBytes = 0
  }
}


/** Take everything from this address until it ends or is given up. */
export function gather(url: string, onProgress: (seconds: number, bytes: number) => void, signal: AbortSignal): Promise<Fetched> {
  return new Promise((resolve) => {
    const gathering = new Gathering()
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    let over = false
    const finish = (ended: string, params: Record<string, unknown> = {}) => {
      if (over) return
      over = true
      socket.close()
      resolve(gathering.done(ended, params))
    }
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (over) return
      const said = gathering.take(event.data)
      onProgress(gathering.seconds, gathering.bytes)
      if (said) finish(said.ended, said.params)
    }
    socket.onclose = () => finish('media_unreachable')
    signal.addEventListener('abort', () => finish('cancelled'))
  })
}
