// Up to nine recordings in step: one leads, the others hurry, wait or jump to it.

import type { RecordedPlayer } from './recorded'
import { onTick } from './ticker'

/** What a follower does when it is `seconds` ahead (+) or behind (-) of the leader in the direction of play. */
export type Correction = { hold: boolean; rate: number; jump: boolean }

export function correct(seconds: number): Correction {
  if (seconds > 0.6) return { hold: true, rate: 1, jump: false }
  if (seconds < -2.5) return { hold: false, rate: 1, jump: true }
  if (seconds < -0.06) return { hold: false, rate: seconds < -0.5 ? 1.25 : 1.08, jump: false }
  if (seconds > 0.06) return { hold: false, rate: 0.92, jump: false }
  return { hold: false, rate: 1, jump: false }
}

const JUMP_COOLDOWN_MS = 4000
/** Less than a picture of most cameras. */
const APART_US = 20_000

/** What of a player counts where it has to stand. */
export interface Standing {
  /** Microseconds UTC of the picture it shows or was sent to. */
  readonly wall: number
  readonly seeking: boolean
  /** It cannot show anything now. */
  readonly out: boolean
}

/**
 * Who stands elsewhere than at the picture of `target` and was not yet sent there. One that was sent is left alone, even
 * if the nearest picture it has lies further off; one that is under way, or out, is looked at again when it is back.
 */
export function strays<T>(others: Iterable<[T, Standing]>, target: number, sentTo: ReadonlyMap<T, number>): T[] {
  const found: T[] = []
  for (const [each, { wall, seeking, out }] of others) {
    if (out || seeking) continue
    if (Math.abs(wall - target) > APART_US && sentTo.get(each) !== target) found.push(each)
  }
  return found
}

export class Deck {
  speed = 1
  direction: 1 | -1 = 1
  playing = false
  private leader = 0
  /** Standing still: where all have to stand; null: at the very picture the leader shows. */
  private target: number | null = null
  private sentTo = new Map<RecordedPlayer, number>()
  private members: RecordedPlayer[] = []
  private jumpedAt = new Map<RecordedPlayer, number>()
  private listeners = new Set<() => void>()
  private readonly stop: () => void
  private version = 0

  constructor() {
    this.stop = onTick((now) => this.tick(now))
  }

  get wall(): number {
    return this.lead()?.wall ?? 0
  }

  add(player: RecordedPlayer): () => void {
    this.members.push(player)
    if (this.playing) player.play(this.speed, this.direction)
    return () => {
      this.members = this.members.filter((each) => each !== player)
      this.jumpedAt.delete(player)
      this.sentTo.delete(player)
    }
  }

  /** Which member the others follow. */
  leadBy(index: number): void {
    this.leader = index
  }

  of(channel: string): RecordedPlayer | undefined {
    return this.members.find((each) => each.channel === channel)
  }

  lead(): RecordedPlayer | undefined {
    const chosen = this.members[this.leader]
    return chosen && !OUT.has(chosen.status.get().phase) ? chosen : (this.members.find((each) => !OUT.has(each.status.get().phase)) ?? chosen)
  }

  seek(at: number): void {
    this.target = at
    for (const each of this.members) {
      each.hold(false)
      each.seek(at)
      this.sentTo.set(each, at)
    }
  }

  play(speed: number, direction: 1 | -1): void {
    const at = this.wall
    this.playing = true
    this.speed = speed
    this.direction = direction
    for (const each of this.members) {
      each.hold(false)
      if (Math.abs(each.wall - at) > 500_000 && at > 0) each.seek(at)
      each.play(speed, direction)
    }
    this.changed()
  }

  pause(): void {
    this.playing = false
    this.standByLeader()
    for (const each of this.members) each.pause()
    this.changed()
  }

  step(direction: 1 | -1): void {
    this.playing = false
    this.standByLeader()
    const lead = this.lead()
    for (const each of this.members) {
      if (each === lead) each.step(direction)
      else each.pause()
    }
    this.changed()
  }

  close(): void {
    this.stop()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  snapshot = (): number => this.version

  private changed(): void {
    this.version += 1
    for (const listener of [...this.listeners]) listener()
  }

  private tick(now: number): void {
    const lead = this.lead()
    if (!lead || this.members.length < 2 || lead.status.get().seeking) return
    if (!this.playing) {
      this.align(lead)
      return
    }
    lead.hold(false)
    lead.nudge(1)
    for (const each of this.members) {
      if (each === lead || each.status.get().seeking || OUT.has(each.status.get().phase)) continue
      const move = correct(((each.wall - lead.wall) / 1e6 / this.speed) * this.direction)
      each.hold(move.hold)
      each.nudge(move.rate)
      if (move.jump && now - (this.jumpedAt.get(each) ?? -JUMP_COOLDOWN_MS) >= JUMP_COOLDOWN_MS) {
        this.jumpedAt.set(each, now)
        each.seek(lead.wall)
      }
    }
  }

  private standByLeader(): void {
    this.target = null
    this.sentTo.clear()
  }

  private align(lead: RecordedPlayer): void {
    const target = this.target ?? lead.wall
    for (const each of strays(this.members.filter((one) => one !== lead).map(standing), target, this.sentTo)) {
      this.sentTo.set(each, target)
      each.seek(target)
    }
  }
}

const OUT = new Set<string>(['ended', 'lost', 'unsupported'])

function standing(player: RecordedPlayer): [RecordedPlayer, Standing] {
  const { seeking, phase } = player.status.get()
  return [player, { wall: player.wall, seeking, out: OUT.has(phase) }]
}
