// G.711 beside the picture: decoded here, laid on the audio clock.

import { decodeG711 } from './g711'
import { openSpeaker, type Speaker } from './speaker'
import type { SoundFormat } from './wire'

const LEAD_SECONDS = 0.12
const MOST_AHEAD_SECONDS = 0.8
/** A piece that is due so near to the end of the one before follows it without a seam. */
const SEAM_SECONDS = 0.06

/** One context for each rate: the browser brings it to the rate of the loudspeaker better than we could. */
const contexts = new Map<number, AudioContext>()

function contextOf(rate: number): AudioContext | null {
  if (typeof AudioContext === 'undefined') return null
  let audio = contexts.get(rate)
  if (!audio) {
    try {
      audio = new AudioContext({ sampleRate: rate })
    } catch {
      return null // a rate that no browser takes
    }
    contexts.set(rate, audio)
  }
  return audio
}

/** Where a piece due at `at` begins, when the one before it ends at `end`. */
export function seam(at: number, end: number): number {
  return Math.abs(at - end) < SEAM_SECONDS ? end : at
}

export class Sound {
  /** Samples that were given to the loudspeaker. */
  sounded = 0
  private current: SoundFormat | null = null
  private audio: AudioContext | null = null
  private gain: GainNode | null = null
  private meter: AnalyserNode | null = null
  private speaker: Speaker | null = null
  private nextAt = 0
  private volume = 0

  get format(): SoundFormat | null {
    return this.current
  }

  set format(format: SoundFormat | null) {
    if (format?.sample_rate !== this.current?.sample_rate) this.close()
    this.current = format
    this.open()
  }

  get kind(): string {
    return this.speaker?.kind ?? ''
  }

  /** How loud it is at this moment: the root of the mean square of the last samples, 0 to 1. */
  get level(): number {
    if (!this.meter) return 0
    const samples = new Float32Array(this.meter.fftSize)
    this.meter.getFloatTimeDomainData(samples)
    return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)
  }

  setVolume(volume: number): void {
    if (volume === 0) this.clear()
    this.volume = volume
    this.open()
    if (this.gain) this.gain.gain.value = volume
  }

  /** As soon as it comes, behind what came before: live. */
  play(bytes: Uint8Array): void {
    const now = this.audio?.currentTime ?? 0
    if (this.nextAt < now) this.nextAt = now + LEAD_SECONDS
    if (this.nextAt - now <= MOST_AHEAD_SECONDS) this.schedule(bytes, this.nextAt)
  }

  /** In so many seconds, which may be past: playback, where sound comes ahead of its picture. */
  playIn(bytes: Uint8Array, seconds: number): void {
    this.schedule(bytes, seam((this.audio?.currentTime ?? 0) + seconds, this.nextAt))
  }

  /** What was laid ahead is not wanted any more. */
  clear(): void {
    this.nextAt = 0
    this.speaker?.clear()
  }

  close(): void {
    this.clear()
    this.speaker?.close()
    this.gain?.disconnect()
    this.meter?.disconnect()
    this.speaker = this.gain = this.meter = this.audio = null
  }

  private open(): void {
    if (!this.current || this.volume === 0) return
    if (!this.gain) {
      const audio = contextOf(this.current.sample_rate)
      if (!audio) return
      const gain = audio.createGain()
      const meter = audio.createAnalyser()
      gain.gain.value = this.volume
      gain.connect(meter).connect(audio.destination)
      this.audio = audio
      this.gain = gain
      this.meter = meter
      void openSpeaker(audio, gain).then((speaker) => {
        if (this.gain === gain) this.speaker = speaker
        else speaker.close()
      })
    }
    void this.audio?.resume()
  }

  private schedule(bytes: Uint8Array, at: number): void {
    const { audio, speaker, current } = this
    if (!audio || !speaker || !current || this.volume === 0 || audio.state !== 'running' || bytes.length === 0) return
    const late = Math.ceil((audio.currentTime - at) * current.sample_rate)
    this.nextAt = at + bytes.length / current.sample_rate
    if (late >= bytes.length) return
    const samples = decodeG711(late > 0 ? bytes.subarray(late) : bytes, current.codec)
    this.sounded += samples.length
    speaker.put(samples, late > 0 ? audio.currentTime : at)
  }
}
