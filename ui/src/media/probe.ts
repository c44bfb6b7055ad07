// What browser tests and the latency benchmark may read: window.__safecity.

export interface Probe {
  channel: string
  kind: 'live' | 'playback'
  currentTime: number
  decoded: number
  dropped: number
  /** Microseconds UTC of the picture on the screen. */
  wall: number
  phase: string
  step: string
  age: number
  quality: string
  codec: string
  /** Seconds buffered ahead of the picture. */
  ahead: number
  /** Seconds held in the buffer in all. */
  held: number
  rate: number
  /** Messages skipped or dropped for slowness. */
  skipped: number
  /** How sound goes out: `element` (AAC), `worklet` or `buffers` (G.711), empty while there is none. */
  sound: string
  /** Bytes or samples of sound that were decoded. */
  sounded: number
  /** How loud G.711 is at this moment, 0 to 1. */
  level: number
  /** Seconds the sound is behind its picture, where it is an element of its own. */
  soundLate: number
}

type Source = () => Probe

const sources = new Map<number, Source>()
let next = 1

declare global {
  interface Window {
    __safecity?: { players: () => Probe[]; player: (channel: string) => Probe | undefined }
  }
}

/** Let tests read a player; answers how to take it out again. */
export function expose(source: Source): () => void {
  window.__safecity ??= {
    players: () => [...sources.values()].map((each) => each()),
    player: (channel) => [...sources.values()].map((each) => each()).find((probe) => probe.channel === channel),
  }
  const id = next
  next += 1
  sources.set(id, source)
  return () => sources.delete(id)
}
