// States have a shape and a word, not only a colour; health is grey, trouble is not.

import { maybe, useLanguage } from '../words'

type Shape = 'disc' | 'ring' | 'half' | 'cross' | 'triangle' | 'dots'

const LOOK: Record<string, [Shape, string]> = {
  running: ['disc', 'var(--text)'],
  online: ['disc', 'var(--text)'],
  registered: ['disc', 'var(--text)'],
  ready: ['disc', 'var(--text)'],
  recording: ['disc', 'var(--text)'],
  idle: ['ring', 'var(--text-2)'],
  opening: ['half', 'var(--blue)'],
  lost: ['triangle', 'var(--orange)'],
  stale: ['triangle', 'var(--orange)'],
  no_stream: ['triangle', 'var(--orange)'],
  silent: ['cross', 'var(--orange)'],
  left_out: ['triangle', 'var(--orange)'],
  decoder_failed: ['cross', 'var(--orange)'],
  not_installed: ['cross', 'var(--orange)'],
  offline: ['cross', 'var(--yellow)'],
  refused: ['cross', 'var(--orange)'],
  failed: ['cross', 'var(--red)'],
  full: ['triangle', 'var(--red)'],
  never: ['dots', 'var(--text-3)'],
  off: ['dots', 'var(--text-3)'],
}

function shape(name: Shape) {
  switch (name) {
    case 'disc':
      return <circle cx="5" cy="5" r="3.5" fill="currentColor" />
    case 'ring':
      return <circle cx="5" cy="5" r="3" fill="none" stroke="currentColor" strokeWidth="1.5" />
    case 'half':
      return <><circle cx="5" cy="5" r="3" fill="none" stroke="currentColor" strokeWidth="1.5" /><path d="M5 2a3 3 0 0 1 0 6z" fill="currentColor" /></>
    case 'cross':
      return <path d="M2 2l6 6M8 2l-6 6" stroke="currentColor" strokeWidth="2" />
    case 'triangle':
      return <path d="M5 1l4.5 8h-9z" fill="currentColor" />
    case 'dots':
      return <circle cx="5" cy="5" r="3" fill="none" stroke="currentColor" strokeWidth="1.5" strokeDasharray="1.6 1.6" />
  }
}

export function stateWords(state: string): string {
  return maybe(`state.${state}`) ?? state
}

export function Dot({ state }: { state: string }) {
  useLanguage()
  const [name, colour] = LOOK[state] ?? ['ring', 'var(--text-3)']
  const label = stateWords(state)
  return (
    <svg width="10" height="10" viewBox="0 0 10 10" role="img" aria-label={label} style={{ color: colour, flex: 'none' }}>
      <title>{label}</title>
      {shape(name)}
    </svg>
  )
}

export function StateMark({ state }: { state: string }) {
  return (
    <span className="mark">
      <Dot state={state} />
      <span>{stateWords(state)}</span>
    </span>
  )
}
