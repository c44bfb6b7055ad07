import { Tooltip } from 'antd'
import { useSyncExternalStore } from 'react'
import { useLanguage } from '../words'
import { ago, type Moment, stamp, toUs, zoneName } from './times'

// One clock for the page, one beat a second.
let second = Date.now()
const beats = new Set<() => void>()
let timer: number | undefined

function subscribe(listener: () => void): () => void {
  beats.add(listener)
  timer ??= window.setInterval(() => {
    second = Date.now()
    for (const each of [...beats]) each()
  }, 1000)
  return () => {
    beats.delete(listener)
    if (beats.size === 0) {
      window.clearInterval(timer)
      timer = undefined
    }
  }
}

export function useSecond(): number {
  return useSyncExternalStore(subscribe, () => second)
}

/** How long ago, with the exact time and zone on hover. */
export function Age({ at }: { at: Moment | null | undefined }) {
  useLanguage()
  const now = useSecond()
  if (!at || toUs(at) <= 0) return <span className="quiet">–</span>
  return <Tooltip title={`${stamp(at)} ${zoneName()}`}><span className="nowrap">{ago(at, now)}</span></Tooltip>
}

/** The exact local time, with the zone on hover. */
export function When({ at }: { at: Moment | null | undefined }) {
  useLanguage()
  if (!at) return <span className="quiet">–</span>
  return <span className="nowrap" title={zoneName()}>{stamp(at)}</span>
}
