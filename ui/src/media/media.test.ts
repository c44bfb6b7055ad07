import { describe, expect, it } from 'vitest'
import { chase, nextTarget } from './chase'
import { correct } from './deck'
import { decodeG711 } from './g711'
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
})

describe('G.711', () => {
  it('decodes silence to almost nothing and the loudest byte to almost one', () => {
    expect(Math.abs(decodeG711(new Uint8Array([0xd5]), 'pcma')[0]!)).toBeLessThan(0.001)
    expect(decodeG711(new Uint8Array([0xaa]), 'pcma')[0]).toBeCloseTo(0.984, 2)
    expect(Math.abs(decodeG711(new Uint8Array([0xff]), 'pcmu')[0]!)).toBeLessThan(0.001)
    expect(decodeG711(new Uint8Array([0x80]), 'pcmu')[0]).toBeCloseTo(0.98, 2)
  })
})
