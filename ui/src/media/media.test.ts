import { describe, expect, it } from 'vitest'
import { chase, nextTarget } from './chase'
import { correct, strays } from './deck'
import { decodeG711 } from './g711'
import { Lane, MOST_HELD_FRAMES } from './lane'
import { around } from './sink'
import { pace } from './voice'
import { Walls } from './walls'
import { readPacket, readText } from './wire'

describe('the head of a media message', () => {
  it('tells kind, wall clock and media time', () => {
    const bytes = new Uint8Array(20)
    const view = new DataView(bytes.buffer)
    view.setUint8(0, 2)
    view.setBigUint64(1, 1_795_225_937_002_492n)
    view.setBigUint64(9, 180_000n)
    const packet = readPacket(bytes.buffer)
    expect(packet?.kind).toBe(2)
    expect(packet?.wall).toBe(1_795_225_937_002_492)
    expect(packet?.media).toBe(2)
    expect(packet?.payload.length).toBe(3)
    view.setBigUint64(9, 1_795_225_937_002_493n)
    expect(readPacket(bytes.buffer)?.ticks).toBe(1_795_225_937_002_493)
  })

  it('is refused when it is cut short, and unknown text is passed over', () => {
    expect(readPacket(new ArrayBuffer(16))).toBeNull()
    expect(readText('{"type":')).toBeNull()
    expect(readText('[1]')).toBeNull()
  })
})

describe('the wall clock of a picture', () => {
  it('runs inside a fragment and stops at the next one', () => {
    const walls = new Walls()
    walls.push(1, 10e6)
    walls.push(2, 20e6)
    expect(walls.at(1.5)).toBe(10.5e6)
    expect(walls.at(2.25)).toBe(20.25e6)
    expect(walls.at(9)).toBe(21e6)
  })

  it('goes as fast as the footage is played, and stands on stills', () => {
    const walls = new Walls()
    walls.push(1, 10e6, 4)
    walls.push(2, 14e6, 0)
    expect(walls.at(1.5)).toBe(12e6)
    expect(walls.at(2.4)).toBe(14e6)
  })

  it('follows history backwards', () => {
    const walls = new Walls()
    walls.push(1, 20e6, 0)
    walls.push(1.2, 18e6, 0)
    expect(walls.at(1.1)).toBe(20e6)
    expect(walls.at(1.3)).toBe(18e6)
  })

  it('knows the live edge by the pictures that came, not by how long the last one claims to last', () => {
    const walls = new Walls()
    expect(walls.edge(3)).toBe(3)
    for (let picture = 0; picture < 12; picture += 1) walls.push(picture / 10, picture * 1e5)
    walls.push(2.5, 25e5) // after a loss
    expect(walls.step()).toBeCloseTo(0.1)
    expect(walls.edge(2.6)).toBe(2.6)
    expect(walls.edge(5.2)).toBeCloseTo(2.7)
  })

  it('leads over the time of lost pictures', () => {
    const walls = new Walls()
    for (const media of [0, 0.1, 0.2, 0.3, 1.4, 1.5]) walls.push(media, media * 1e6)
    expect(walls.overHole(0.25)).toBeNull()
    expect(walls.overHole(0.35)).toBeNull()
    expect(walls.overHole(0.35, true)).toBe(1.4)
    expect(walls.overHole(0.5)).toBe(1.4)
    expect(walls.overHole(1.45)).toBeNull()
    expect(walls.overHole(1.9)).toBeNull()
  })

  it('keeps the mark that still covers the trimmed edge', () => {
    const walls = new Walls()
    for (let second = 0; second < 10; second += 1) walls.push(second, second * 1e6)
    walls.trim(5.5)
    expect(walls.at(5.5)).toBe(5.5e6)
    expect(walls.size).toBe(5)
  })
})

describe('staying at the live edge', () => {
  const edge = { at: 10, reach: 10.2, next: null, end: 10.2, target: 0.2, young: false }

  it('plays on when all is well', () => expect(chase(edge)).toEqual({ rate: 1 }))
  it('hurries when behind and jumps when far behind', () => {
    expect(chase({ ...edge, reach: 10.4, end: 10.4 })).toEqual({ rate: 1.08 })
    expect(chase({ ...edge, reach: 11.2, end: 11.2 })).toEqual({ rate: 1.5 })
    expect(chase({ ...edge, reach: 13, end: 13 })).toEqual({ jump: 12.8 })
  })
  it('jumps over a hole instead of waiting in front of it', () => {
    expect(chase({ ...edge, reach: 10.01, next: 10.5, end: 10.6 })).toEqual({ jump: 10.51 })
  })
  it('asks for more lead after a stall and gives it back slowly', () => {
    expect(nextTarget(0.2, true)).toBeCloseTo(0.26)
    expect(nextTarget(0.2, false)).toBeLessThan(0.2)
    expect(nextTarget(5, true)).toBe(0.9)
  })
})

describe('recordings in step', () => {
  it('lets the one that is ahead wait and the one far behind jump', () => {
    expect(correct(3)).toEqual({ hold: true, rate: 1, jump: false })
    expect(correct(-3).jump).toBe(true)
    expect(correct(-0.2).rate).toBeGreaterThan(1)
    expect(correct(0.01)).toEqual({ hold: false, rate: 1, jump: false })
  })
  it('brings all to one picture when they stand, however late one comes back', () => {
    const at = 1_000_000_000
    const there = { wall: at - 10_000, seeking: false, out: false }
    const behind = { wall: at - 3_000_000, seeking: false, out: false }
    const sent = new Map<string, number>()
    const all = (late: typeof there): [string, typeof there][] => [['there', there], ['behind', behind], ['late', late]]
    expect(strays(all({ ...behind, seeking: true }), at, sent)).toEqual(['behind'])
    sent.set('behind', at)
    expect(strays(all({ ...behind, out: true }), at, sent)).toEqual([])
    expect(strays(all(behind), at, sent)).toEqual(['late'])
    sent.set('late', at)
    // Its pictures lie further apart than that: once is enough, until the leader goes elsewhere.
    expect(strays(all(behind), at, sent)).toEqual([])
    expect(strays(all(behind), at + 100_000, sent)).toEqual(['there', 'behind', 'late'])
  })
})

describe('G.711', () => {
  it('decodes silence to almost nothing and the loudest byte to almost one', () => {
    expect(Math.abs(decodeG711(new Uint8Array([0xd5]), 'pcma')[0]!)).toBeLessThan(0.001)
    expect(decodeG711(new Uint8Array([0xaa]), 'pcma')[0]).toBeCloseTo(0.984, 2)
    expect(Math.abs(decodeG711(new Uint8Array([0xff]), 'pcmu')[0]!)).toBeLessThan(0.001)
    expect(decodeG711(new Uint8Array([0x80]), 'pcmu')[0]).toBeCloseTo(0.98, 2)
  })
})

describe('the lane of the audio thread', () => {
  const ramp = (from: number, length: number) => Float32Array.from({ length }, (_, index) => from + index)
  const take = (lane: Lane, frame: number, length: number) => {
    const out = new Float32Array(length).fill(9)
    lane.take(frame, out)
    return [...out]
  }

  it('sounds what was put where it was put, over the seams of pieces and of turns', () => {
    const lane = new Lane()
    lane.put(102, ramp(1, 3))
    lane.put(105, ramp(4, 3))
    expect(take(lane, 100, 4)).toEqual([0, 0, 1, 2])
    expect(take(lane, 104, 4)).toEqual([3, 4, 5, 6])
    expect(take(lane, 108, 2)).toEqual([0, 0])
  })

  it('leaves out what is late and what is there twice, and is silent where nothing came', () => {
    const lane = new Lane()
    lane.put(10, ramp(1, 4))
    lane.put(12, ramp(3, 4))
    lane.put(12, ramp(3, 4))
    lane.put(20, ramp(7, 1))
    expect(take(lane, 12, 6)).toEqual([3, 4, 5, 6, 0, 0])
    expect(take(lane, 18, 4)).toEqual([0, 0, 7, 0])
  })

  it('is silent once it is cleared and does not grow without end', () => {
    const lane = new Lane()
    lane.put(0, ramp(1, MOST_HELD_FRAMES))
    lane.put(MOST_HELD_FRAMES, ramp(5, 4))
    expect(take(lane, MOST_HELD_FRAMES - 1, 3)).toEqual([MOST_HELD_FRAMES, 0, 0])
    lane.put(MOST_HELD_FRAMES, ramp(1, 4))
    lane.clear()
    expect(take(lane, MOST_HELD_FRAMES, 2)).toEqual([0, 0])
    lane.put(MOST_HELD_FRAMES + 2, ramp(5, 1))
    expect(take(lane, MOST_HELD_FRAMES + 2, 1)).toEqual([5])
  })
})

describe('what is buffered around a moment', () => {
  const ranges = (...pairs: [number, number][]): TimeRanges => ({
    length: pairs.length,
    start: (index) => pairs[index]![0],
    end: (index) => pairs[index]![1],
  })

  it('tells how far the stretch goes, and where the next one begins behind a hole', () => {
    const holed = ranges([0, 4.6], [4.9, 8.8])
    expect(around(holed, 2)).toEqual({ reach: 4.6, next: 4.9 })
    expect(around(holed, 4.7)).toEqual({ reach: null, next: 4.9 })
    expect(around(holed, 4.88)).toEqual({ reach: 8.8, next: null })
    expect(around(holed, 9)).toEqual({ reach: null, next: null })
    expect(around(null, 1)).toEqual({ reach: null, next: null })
  })
})

describe('sound that follows its picture', () => {
  it('hurries or waits a little, jumps when far off, and does not swing', () => {
    expect(pace(0.03, false)).toEqual({ jump: false, rate: 1 })
    expect(pace(0.1, false).rate).toBeGreaterThan(1)
    expect(pace(-0.1, false).rate).toBeLessThan(1)
    expect(pace(0.03, true).rate).toBeGreaterThan(1)
    expect(pace(0.01, true).rate).toBe(1)
    expect(pace(-0.6, false).jump).toBe(true)
  })
})
