// Where the panel of the steered camera stands: below the tree, so that it hides no picture. Full screen it floats over the picture.

import { useSyncExternalStore } from 'react'
import { Store, useStore } from '../parts/store'

export const dock = new Store<{ element: HTMLElement | null }>({ element: null })

function subscribe(listener: () => void): () => void {
  document.addEventListener('fullscreenchange', listener)
  return () => document.removeEventListener('fullscreenchange', listener)
}

export function useDock(): HTMLElement | null {
  const { element } = useStore(dock)
  const full = useSyncExternalStore(subscribe, () => document.fullscreenElement !== null)
  return full ? null : element
}
