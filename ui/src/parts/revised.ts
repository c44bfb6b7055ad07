import { useEffect, useRef } from 'react'
import { Problem } from '../api/client'

/** What of `after` is not as it was in `before`. */
export function differing<T extends object>(before: object, after: T): Partial<T> {
  const old = new Map<string, unknown>(Object.entries(before))
  const changed = Object.entries(after).filter(([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(old.get(name) ?? null))
  return Object.fromEntries(changed) as Partial<T>
}

/**
 * The thing a form was filled from: it stands still while somebody types, however often the thing is fetched meanwhile.
 * Whoever was slower is told so (412), and a second save goes over what `look` finds then.
 */
export function useFilled<T extends { revision: number }>(now: T, touched: boolean, look: () => Promise<T | undefined>) {
  const from = useRef(now)
  const revision = useRef(now.revision)
  useEffect(() => {
    if (touched) return
    from.current = now
    revision.current = now.revision
  }, [now, touched])
  return {
    from: () => from.current,
    revision: () => revision.current,
    failed: async (error: unknown) => {
      if (!(error instanceof Problem) || error.status !== 412) return
      revision.current = (await look())?.revision ?? revision.current
    },
  }
}
