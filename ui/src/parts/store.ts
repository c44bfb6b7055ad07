// A value outside React that components can watch; optionally kept for the next visit.

import { useSyncExternalStore } from 'react'

export class Store<T> {
  private listeners = new Set<() => void>()
  private value: T

  constructor(
    initial: T,
    private readonly kept?: string,
  ) {
    this.value = initial
    if (kept) {
      try {
        const text = localStorage.getItem(kept)
        if (text) this.value = { ...initial, ...(JSON.parse(text) as T) }
      } catch {
        // an older form of it: begin anew
      }
    }
  }

  get = (): T => this.value

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(change: Partial<T> | ((now: T) => Partial<T>)): void {
    this.value = { ...this.value, ...(typeof change === 'function' ? change(this.value) : change) }
    if (this.kept) localStorage.setItem(this.kept, JSON.stringify(this.value))
    for (const listener of [...this.listeners]) listener()
  }
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}
