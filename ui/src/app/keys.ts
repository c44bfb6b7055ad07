// Keys without a modifier belong to the page, as long as nobody is typing.

import { useEffect, useRef } from 'react'

export function typing(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) || target.closest('.ant-modal, .ant-select-dropdown') !== null
}

let claimed = false

/** While a first key (g) waits for its second, keys belong to whoever claimed them. */
export function claimKeys(on: boolean): void {
  claimed = on
}

/** `handler` answers true when it used the key. `claims`: also while this one has claimed the next key. */
export function useKeys(handler: (event: KeyboardEvent) => boolean, onUp?: (event: KeyboardEvent) => void, claims = false): void {
  const down = useRef(handler)
  const up = useRef(onUp)
  useEffect(() => {
    down.current = handler
    up.current = onUp
  })
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (claimed && !claims) return
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return
      if (down.current(event)) event.preventDefault()
    }
    const release = (event: KeyboardEvent) => up.current?.(event)
    window.addEventListener('keydown', press)
    window.addEventListener('keyup', release)
    return () => {
      window.removeEventListener('keydown', press)
      window.removeEventListener('keyup', release)
    }
  }, [claims])
}
