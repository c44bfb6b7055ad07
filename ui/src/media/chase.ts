// How a live picture stays at the live edge: pure, so that it can be tested without a browser.

export interface Edge {
  /** Current media time, seconds. */
  at: number
  /** Where the buffered stretch that holds `at` ends, or null where `at` is in none. */
  reach: number | null
  /** Start of the next stretch after `at`, or null. */
  next: number | null
  /** End of everything buffered. */
  end: number
  /** How much we want to be ahead, seconds. */
  target: number
  /** Young sessions jump sooner: nobody minds a jump in the first second. */
  young: boolean
}

export type Move = { jump: number } | { rate: number }

const JUMP_BEHIND = 2
const JUMP_BEHIND_YOUNG = 0.5

/** Jump over what was missed, hurry a little, wait a little, or play on. */
export function chase(edge: Edge): Move {
  const behind = edge.end - edge.at
  if (edge.reach === null || edge.reach - edge.at < 0.02) {
    if (edge.next !== null) return { jump: Math.max(edge.next + 0.01, edge.end - edge.target) }
    if (edge.reach === null && behind > 0.01) return { jump: Math.max(0, edge.end - edge.target) }
  }
  if (behind > (edge.young ? JUMP_BEHIND_YOUNG : JUMP_BEHIND) + edge.target) return { jump: edge.end - edge.target }
  const excess = behind - edge.target
  if (excess > 0.6) return { rate: 1.5 }
  if (excess > 0.25) return { rate: 1.2 }
  if (excess > 0.08) return { rate: 1.08 }
  if (excess < -edge.target * 0.6) return { rate: 0.93 }
  return { rate: 1 }
}

const SMALLEST_TARGET = 0.12
const LARGEST_TARGET = 0.9

/** The wanted lead after a stall, or after a while without one. */
export function nextTarget(target: number, stalled: boolean): number {
  return stalled ? Math.min(LARGEST_TARGET, target + 0.06) : Math.max(SMALLEST_TARGET, target - 0.004)
}
