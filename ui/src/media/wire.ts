// The binary head of the media WebSocket: kind u8 | wall u64 (µs UTC) | media u64 (1/90,000 s), big-endian.

export const HEAD_BYTES = 17
export const MEDIA_HZ = 90_000

export const Kind = { init: 1, key: 2, delta: 3, sound: 4, picture: 5, voiceInit: 6, voice: 7 } as const

export interface Packet {
  kind: number
  /** Microseconds UTC of the first picture in it. */
  wall: number
  /** tfdt in seconds. */
  media: number
  /** The same as it stands there; of a picture the moment that was asked for, in microseconds. */
  ticks: number
  payload: Uint8Array<ArrayBuffer>
}

/** The packet, or null where it is shorter than its head. Times fit a double until the year 2255. */
export function readPacket(data: ArrayBuffer): Packet | null {
  if (data.byteLength < HEAD_BYTES) return null
  const view = new DataView(data)
  const ticks = view.getUint32(9) * 4294967296 + view.getUint32(13)
  return {
    kind: view.getUint8(0),
    wall: view.getUint32(1) * 4294967296 + view.getUint32(5),
    media: ticks / MEDIA_HZ,
    ticks,
    payload: new Uint8Array(data, HEAD_BYTES),
  }
}

export interface SoundFormat {
  codec: string
  sample_rate: number
  channels: number
  /** Only where the sound comes apart from the pictures (AAC, kinds 6 and 7). */
  mime?: string
}

export type ServerText =
  | { type: 'init'; mime: string; codec: string; width: number; height: number; audio: SoundFormat | null; quality: string }
  | { type: 'state'; state: string; step?: string; params?: Record<string, unknown> }
  | { type: 'gap'; start: number; end: number; cause: string }
  | { type: 'position'; at: number; media?: number }
  | { type: 'end_of_footage'; at: number }
  | { type: 'end'; code: string }
  | { type: 'skipped'; units: number }

export type InitText = Extract<ServerText, { type: 'init' }>

/** The message, or null where it is none of ours: a newer server may say more than we understand. */
export function readText(data: string): ServerText | null {
  try {
    const value: unknown = JSON.parse(data)
    if (typeof value === 'object' && value !== null && 'type' in value) return value as ServerText
  } catch {
    // fall through
  }
  return null
}
