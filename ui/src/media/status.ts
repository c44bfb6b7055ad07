// What a player says about itself; a new object for each change, so that React can compare.

export type Phase = 'idle' | 'opening' | 'running' | 'stale' | 'lost' | 'unsupported' | 'ended'

export interface PlayerStatus {
  phase: Phase
  /** Which step failed, a code of the catalogue; empty while all is well. */
  step: string
  params: Record<string, unknown>
  /** Microseconds UTC of the shown picture, 0 where unknown. */
  wall: number
  /** Seconds since the last frame was received or shown, whichever is older news; -1 before the first. */
  age: number
  quality: string
  codec: string
  width: number
  height: number
  hasSound: boolean
}

export const NOTHING: PlayerStatus = {
  phase: 'idle', step: '', params: {}, wall: 0, age: -1, quality: '', codec: '', width: 0, height: 0, hasSound: false,
}

/** A value others can watch (React's useSyncExternalStore). */
export class Watched<T extends object> {
  private listeners = new Set<() => void>()

  constructor(private value: T) {}

  get = (): T => this.value

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(change: Partial<T>): void {
    for (const key of Object.keys(change) as (keyof T)[]) {
      if (change[key] !== this.value[key]) {
        this.value = { ...this.value, ...change }
        for (const listener of [...this.listeners]) listener()
        return
      }
    }
  }
}
