import { describe, expect, it } from 'vitest'
import { Gathering } from './fetching'
import { moveEarlier } from './fragments'
import { Pace, Reckoned } from './pace'
import { HEAD_BYTES, MEDIA_HZ } from './wire'

function message(kind: number, media: number, size = 10): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + size))
  view.setUint8(0, kind)
  view.setBigUint64(9, BigInt(Math.round(media * MEDIA_HZ)))
  return view.buffer
}
const INIT = JSON.stringify({ type: 'init', mime: 'video/mp4', codec: 'h264', width: 2, height: 2, audio: null, quality: 'main' })

describe('how fast a device sends', () => {
  it('is measured, and measured anew after it was asked for another speed', () => {
    const pace = new Pace()
    for (let n = 0; n <= 20; n += 1) pace.heard(n * 0.4, n * 100)
    expect(pace.at(2000)).toBeCloseTo(4)
    pace.forget()
    expect(pace.at(2050)).toBeCloseTo(4)
    for (let n = 0; n <= 20; n += 1) pace.heard(8 + n * 0.1, 2100 + n * 100)
    expect(pace.at(4100)).toBeCloseTo(1)
  })

  it('says nothing while it is silent', () => {
    const pace = new Pace()
    pace.heard(0, 0)
    pace.heard(4, 1000)
    expect(pace.at(1000)).toBeCloseTo(4)
    pace.heard(4.1, 60_000)
    expect(pace.at(90_000)).toBeCloseTo(4)
  })
})

describe('where playback on a device stands', () => {
  it('runs on from what was told, at the speed that was told, and stands while it pauses', () => {
    const reckoned = new Reckoned(100e6)
    expect(reckoned.at(5000)).toBe(100e6)
    reckoned.told({ position: 200e6, speed: 4, paused: false }, 10_000)
    expect(reckoned.at(12_000)).toBe(208e6)
    reckoned.told({ position: 300e6, speed: -2, paused: false }, 10_000)
    expect(reckoned.at(11_000)).toBe(298e6)
    reckoned.told({ position: 250e6, speed: 1, paused: true }, 10_000)
    expect(reckoned.at(99_000)).toBe(250e6)
  })

  it('does not move before the first picture of a session, nor after its end', () => {
    const reckoned = new Reckoned(0)
    reckoned.told({ position: 5e6, speed: 1, paused: false }, 0)
    reckoned.begins()
    reckoned.stand(70e6, 1000)
    expect(reckoned.at(9000)).toBe(70e6)
    reckoned.told({ position: 70e6, speed: 1, paused: false }, 10_000)
    reckoned.stand(80e6, 12_000)
    reckoned.ends()
    expect(reckoned.at(50_000)).toBe(80e6)
  })
})

function box(name: string, ...parts: number[][]): number[] {
  const inner = parts.flat()
  const size = inner.length + 8
  return [0, 0, size >> 8, size & 255, ...[...name].map((letter) => letter.charCodeAt(0)), ...inner]
}
const time = (ticks: number) => [1, 0, 0, 0, 0, 0, 0, 0, 0, ticks >> 16, (ticks >> 8) & 255, ticks & 255]

describe('the time line of a fragment', () => {
  it('is moved in every track, and everything else stays', () => {
    const made = (video: number, audio: number) =>
      Uint8Array.from([...box('moof', box('mfhd', [0, 0, 0, 0, 0, 0, 0, 9]), box('traf', box('tfdt', time(video))), box('traf', box('tfdt', time(audio)))), ...box('mdat', [...'tfdt'].map((l) => l.charCodeAt(0)))])
    const bytes = made(95_000, 89_000)
    moveEarlier(bytes, 90_000)
    expect([...bytes]).toEqual([...made(5000, 0)])
    const cut = made(95_000, 89_000).slice(0, 30)
    moveEarlier(cut, 90_000)
    expect([...cut]).toEqual([...made(95_000, 89_000).slice(0, 30)])
  })
})

describe('a fetched stretch', () => {
  it('begins with a key picture, is as long as its pictures say, and tells what is missing from it', async () => {
    const gathering = new Gathering()
    expect(gathering.take(INIT)).toBeNull()
    gathering.take(message(1, 0, 30))
    gathering.take(message(3, 0.5))
    gathering.take(message(2, 1))
    gathering.take(message(3, 2))
    gathering.take(message(4, 2))
    gathering.take('{"type":"skipped","units":7}')
    gathering.take(message(3, 3))
    const said = gathering.take('{"type":"state","state":"idle","step":"end"}')
    expect(said).toEqual({ ended: 'end', params: {} })
    const whole = gathering.done('end', {})
    expect([whole.seconds, whole.lost, whole.soundApart, whole.bytes]).toEqual([2, 7, true, 60])
    expect(whole.files.map((file) => file.size)).toEqual([60])
  })

  it('is a second file where the pictures are made otherwise, and none where no picture came', () => {
    const gathering = new Gathering()
    for (const each of [INIT, message(1, 0), message(2, 1), message(3, 2), INIT, message(1, 2), message(2, 2.5), message(3, 3)]) gathering.take(each)
    expect(gathering.done('end', {}).files.length).toBe(2)
    const empty = new Gathering()
    empty.take(INIT)
    empty.take(message(1, 0))
    expect(empty.take('{"type":"state","state":"lost","step":"gb_no_packet"}')).toEqual({ ended: 'gb_no_packet', params: {} })
    expect(empty.done('gb_no_packet', {}).files).toEqual([])
  })
})
