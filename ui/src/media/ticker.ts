// One timer for all players: sixteen tiles must not be sixteen timers.

type Listener = (now: number) => void

const PERIOD_MS = 200
const listeners = new Set<Listener>()
let timer: number | undefined

/** Call `listener` about five times a second with performance.now(); answers how to stop. */
export function onTick(listener: Listener): () => void {
  listeners.add(listener)
  timer ??= window.setInterval(() => {
    const now = performance.now()
    for (const each of [...listeners]) each(now)
  }, PERIOD_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      window.clearInterval(timer)
      timer = undefined
    }
  }
}
