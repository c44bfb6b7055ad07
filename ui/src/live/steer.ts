// PTZ from mouse and keys to commands: one request at a time, the newest wish wins, and a stop is never lost.

export interface Motion {
  pan: number
  tilt: number
  zoom: number
}

const STILL: Motion = { pan: 0, tilt: 0, zoom: 0 }
/** While a key is held the wish is repeated, so that the platform can stop a camera whose browser has died. */
const REPEAT_MS = 700

export class Steering {
  private wanted: Motion = STILL
  private sent: Motion = STILL
  private busy = false
  private timer: number | undefined

  constructor(
    private readonly send: (action: string, motion: Motion) => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  move(motion: Partial<Motion>): void {
    this.wanted = { ...STILL, ...motion }
    this.work(false)
    window.clearInterval(this.timer)
    if (moving(this.wanted)) this.timer = window.setInterval(() => this.work(true), REPEAT_MS)
  }

  stop(): void {
    this.move(STILL)
  }

  close(): void {
    if (moving(this.sent) || moving(this.wanted)) this.stop()
    window.clearInterval(this.timer)
  }

  private work(repeat: boolean): void {
    if (this.busy || (!repeat && same(this.wanted, this.sent))) return
    const next = this.wanted
    this.busy = true
    this.sent = next
    this.send(moving(next) ? 'move' : 'stop', next)
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

function moving(motion: Motion): boolean {
  return motion.pan !== 0 || motion.tilt !== 0 || motion.zoom !== 0
}

function same(a: Motion, b: Motion): boolean {
  return a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom
}

/** The motion a set of held keys asks for. */
export function motionOf(keys: ReadonlySet<string>, fast: boolean): Motion {
  const speed = fast ? 1 : 0.4
  const axis = (plus: string, minus: string) => (keys.has(plus) ? speed : 0) - (keys.has(minus) ? speed : 0)
  return { pan: axis('ArrowRight', 'ArrowLeft'), tilt: axis('ArrowUp', 'ArrowDown'), zoom: axis('+', '-') }
}
