// G.711 beside the picture. Buffers are scheduled on the audio clock instead of an AudioWorklet, because worklets exist in
// secure contexts only and many sites open the platform by http://address.

import { decodeG711 } from './g711'
import type { SoundFormat } from './wire'

const LEAD_SECONDS = 0.12
const MOST_AHEAD_SECONDS = 0.8

let shared: AudioContext | null = null

function context(): AudioContext | null {
  if (!shared && typeof AudioContext !== 'undefined') shared = new AudioContext()
  return shared
}

export class Sound {
  format: SoundFormat | null = null
  private gain: GainNode | null = null
  private nextAt = 0
  private volume = 0

  setVolume(volume: number): void {
    this.volume = volume
    if (volume > 0) {
      const audio = context()
      if (audio && !this.gain) {
        this.gain = audio.createGain()
        this.gain.connect(audio.destination)
      }
      void audio?.resume()
    }
    if (this.gain) this.gain.gain.value = volume
  }

  /** As soon as it comes, behind what came before: live. */
  play(bytes: Uint8Array): void {
    const now = shared?.currentTime ?? 0
    if (this.nextAt < now) this.nextAt = now + LEAD_SECONDS
    if (this.nextAt - now > MOST_AHEAD_SECONDS) return
    this.nextAt += this.schedule(bytes, this.nextAt)
  }

  /** In so many seconds: playback, where sound comes ahead of its picture. */
  playIn(bytes: Uint8Array, seconds: number): void {
    this.schedule(bytes, (shared?.currentTime ?? 0) + Math.max(0, seconds))
  }

  private schedule(bytes: Uint8Array, at: number): number {
    const audio = shared
    if (!this.format || !this.gain || !audio || this.volume === 0 || audio.state !== 'running' || bytes.length === 0) return 0
    const samples = decodeG711(bytes, this.format.codec)
    const buffer = audio.createBuffer(1, samples.length, this.format.sample_rate)
    buffer.copyToChannel(samples, 0)
    const node = audio.createBufferSource()
    node.buffer = buffer
    node.connect(this.gain)
    node.start(at)
    return buffer.duration
  }

  close(): void {
    this.gain?.disconnect()
    this.gain = null
  }
}
