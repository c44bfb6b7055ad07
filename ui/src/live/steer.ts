// PTZ from mouse and keys to commands: one request at a time, the newest wish wins, and a stop is never lost.

import { Store } from '../parts/store'

export interface Motion {
  pan: number
  tilt: number
  zoom: number
  /** Near is negative. */
  focus: number
  /** Closed is negative. */
  iris: number
}

const STILL: Motion = { pan: 0, tilt: 0, zoom: 0, focus: 0, iris: 0 }
/** While a key is held the wish is repeated, so that the platform can stop a camera whose browser has died. */
const REPEAT_MS = 700

/** How fast pad and keys drive, 0.1 to 1; Shift is always full speed. */
export const speed = new Store<{ part: number }>({ part: 0.4 }, 'safecity.ptz')

export interface Command extends Partial<Motion> {
  action: 'move' | 'lens' | 'stop'
}

/**
 * The command that leads from what the camera does towards what is wanted. The head and the lens are driven by commands
 * of their own, and each of them is stopped only by its own: so a change from one to the other takes two.
 */
export function towards(sent: Motion, wanted: Motion): { command: Command; reached: Motion } {
  const stopLens = { command: { action: 'lens', focus: 0, iris: 0 } as const, reached: STILL }
  if (lensMoves(sent) && !lensMoves(wanted)) return stopLens
  if (headMoves(sent) && !headMoves(wanted)) return { command: { action: 'stop' }, reached: STILL }
  if (headMoves(wanted)) {
    const { pan, tilt, zoom } = wanted
    return { command: { action: 'move', pan, tilt, zoom }, reached: { ...STILL, pan, tilt, zoom } }
  }
  if (lensMoves(wanted)) {
    const { focus, iris } = wanted
    return { command: { action: 'lens', focus, iris }, reached: { ...STILL, focus, iris } }
  }
  return { command: { action: 'stop' }, reached: STILL }
}

export class Steering {
  private wanted: Motion = STILL
  private sent: Motion = STILL
  private busy = false
  private timer: number | undefined

  constructor(
    private readonly send: (command: Command) => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  move(motion: Partial<Motion>): void {
    const wanted = { ...STILL, ...motion }
    // Head and lens are not driven at once: the head wins, as the picture is lost without it.
    this.wanted = headMoves(wanted) ? { ...wanted, focus: 0, iris: 0 } : wanted
    this.work(false)
    window.clearInterval(this.timer)
    if (moving(this.wanted)) this.timer = window.setInterval(() => this.work(true), REPEAT_MS)
  }

  stop(): void {
    this.move(STILL)
  }

  /** Somebody else steers now: nothing more is sent, and what the camera does is theirs. */
  drop(): void {
    window.clearInterval(this.timer)
    this.wanted = this.sent = STILL
  }

  close(): void {
    if (moving(this.sent) || moving(this.wanted)) this.stop()
    window.clearInterval(this.timer)
  }

  private work(repeat: boolean): void {
    if (this.busy || (!repeat && same(this.wanted, this.sent))) return
    const { command, reached } = towards(this.sent, this.wanted)
    this.busy = true
    this.sent = reached
    this.send(command)
      .catch((error: unknown) => {
        this.wanted = STILL
        window.clearInterval(this.timer)
        this.failed(error)
      })
      .finally(() => {
        this.busy = false
        if (!same(this.wanted, this.sent)) this.work(false)
      })
  }
}

function headMoves(motion: Motion): boolean {
  return motion.pan !== 0 || motion.tilt !== 0 || motion.zoom !== 0
}

function lensMoves(motion: Motion): boolean {
  return motion.focus !== 0 || motion.iris !== 0
}

function moving(motion: Motion): boolean {
  return headMoves(motion) || lensMoves(motion)
}

function same(a: Motion, b: Motion): boolean {
  return a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom && a.focus === b.focus && a.iris === b.iris
}

/** The motion a set of held keys asks for. */
export function motionOf(keys: ReadonlySet<string>, fast: boolean, part = speed.get().part): Motion {
  const most = fast ? 1 : part
  const axis = (plus: string, minus: string) => (keys.has(plus) ? most : 0) - (keys.has(minus) ? most : 0)
  return {
    pan: axis('ArrowRight', 'ArrowLeft'), tilt: axis('ArrowUp', 'ArrowDown'), zoom: axis('+', '-'), focus: axis('.', ','), iris: axis(']', '['),
  }
}
