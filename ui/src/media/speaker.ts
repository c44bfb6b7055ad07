// Where decoded samples go: an AudioWorklet where the page may have one, buffers scheduled on the audio clock elsewhere
// (worklets exist in secure contexts only, and many sites open the platform by http://address).

import type { ToLane } from './lane.worklet'
import laneAddress from './lane.worklet.ts?worker&url'

export interface Speaker {
  readonly kind: 'worklet' | 'buffers'
  /** Sound these samples, which are of the context's rate, at this second of its clock. */
  put(samples: Float32Array<ArrayBuffer>, at: number): void
  /** Be silent at once. */
  clear(): void
  close(): void
}

export async function openSpeaker(audio: AudioContext, into: AudioNode): Promise<Speaker> {
  // The types promise a worklet everywhere; an insecure page has none.
  const worklet = audio.audioWorklet as AudioWorklet | undefined
  if (worklet) {
    try {
      await worklet.addModule(laneAddress)
      return new WorkletSpeaker(audio, into)
    } catch {
      // refused or not found: the other way sounds nearly as well
    }
  }
  return new BufferSpeaker(audio, into)
}

class WorkletSpeaker implements Speaker {
  readonly kind = 'worklet'
  private readonly node: AudioWorkletNode

  constructor(
    private readonly audio: AudioContext,
    into: AudioNode,
  ) {
    this.node = new AudioWorkletNode(audio, 'lane', { numberOfInputs: 0, outputChannelCount: [1] })
    this.node.connect(into)
  }

  put(samples: Float32Array<ArrayBuffer>, at: number): void {
    this.say({ put: samples, at: Math.round(at * this.audio.sampleRate) }, [samples.buffer])
  }

  clear(): void {
    this.say({ clear: true })
  }

  close(): void {
    this.say({ end: true })
    this.node.disconnect()
  }

  private say(message: ToLane, moved: Transferable[] = []): void {
    this.node.port.postMessage(message, moved)
  }
}

class BufferSpeaker implements Speaker {
  readonly kind = 'buffers'
  private readonly sounding = new Set<AudioBufferSourceNode>()

  constructor(
    private readonly audio: AudioContext,
    private readonly into: AudioNode,
  ) {}

  put(samples: Float32Array<ArrayBuffer>, at: number): void {
    const buffer = this.audio.createBuffer(1, samples.length, this.audio.sampleRate)
    buffer.copyToChannel(samples, 0)
    const node = this.audio.createBufferSource()
    node.buffer = buffer
    node.connect(this.into)
    node.onended = () => this.sounding.delete(node)
    this.sounding.add(node)
    node.start(at)
  }

  clear(): void {
    for (const node of this.sounding) node.stop()
    this.sounding.clear()
  }

  close(): void {
    this.clear()
  }
}
