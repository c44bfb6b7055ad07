// The audio thread's end of G.711: takes samples from its lane, 128 at a time, whatever the page is busy with.

import { Lane } from './lane'

declare const currentFrame: number
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

export type ToLane = { put: Float32Array<ArrayBuffer>; at: number } | { clear: true } | { end: true }

class LaneProcessor extends AudioWorkletProcessor {
  private readonly lane = new Lane()
  private over = false

  constructor() {
    super()
    this.port.onmessage = (event: MessageEvent<ToLane>) => {
      if ('put' in event.data) this.lane.put(event.data.at, event.data.put)
      else this.lane.clear()
      if ('end' in event.data) this.over = true
    }
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [first, ...others] = outputs[0] ?? []
    if (first) {
      this.lane.take(currentFrame, first)
      for (const each of others) each.set(first)
    }
    return !this.over
  }
}

registerProcessor('lane', LaneProcessor)
