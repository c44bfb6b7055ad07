import { beforeEach, describe, expect, it } from 'vitest'
import { branches } from '../admin/choose'
import { hoursOf, spansOf } from '../devices/week'
import { asked, following, inSight, tickStep, zoomed } from '../playback/span'
import { language, setLanguage, speakAs, t } from '../words'
import { stepWords } from './problem'
import { csvCell } from './table'
import { ago, clock, dayStart, local, offsetMinutes, setZone } from './times'
import { differing } from './revised'
import { bitRate, bytes } from './units'

const MOMENT = Date.UTC(2026, 10, 21, 1, 52, 16) * 1000

describe('times', () => {
  beforeEach(() => {
    setLanguage('en')
    setZone('Asia/Shanghai')
  })
  it('are shown in the zone of the user', () => {
    expect(clock(MOMENT)).toBe('09:52:16')
    expect(offsetMinutes(MOMENT)).toBe(480)
    expect(dayStart(MOMENT)).toBe(Date.UTC(2026, 10, 20, 16) * 1000)
    expect(local(MOMENT)).toBe('2026-11-21T09:52')
    expect(local(new Date(MOMENT / 1000))).toBe('2026-11-21T09:52')
  })
  it('become ages where age matters', () => {
    expect(ago(MOMENT, MOMENT / 1000 + 4000)).toBe('4 s ago')
    setLanguage('zh-CN')
    expect(ago(MOMENT, MOMENT / 1000 + 4000)).toBe('4 秒前')
  })
})

describe('words', () => {
  it('fill their places and fall back to the code', () => {
    setLanguage('en')
    expect(t('live.layout.n', { n: 9 })).toBe('Wall of 9')
    expect(stepWords('gb_refused', { status: 486, reason: 'Busy' })).toContain('486 Busy')
    expect(stepWords('something_new')).toContain('something_new')
  })
})

describe('the language', () => {
  it('is that of whoever signs in, one after the other, until somebody chooses another', () => {
    localStorage.clear()
    speakAs('zh-CN')
    expect(language()).toBe('zh-CN')
    speakAs('en')
    expect(language()).toBe('en')
    setLanguage('zh-CN')
    speakAs('en')
    expect(language()).toBe('zh-CN')
  })
})

describe('tables and figures', () => {
  it('never export a formula', () => {
    expect(csvCell('=1+1')).toBe("'=1+1")
    expect(csvCell('a,"b"')).toBe('"a,""b"""')
  })
  it('carry units', () => {
    expect(bytes(1_200_000_000)).toBe('1.2\u202fGB')
    expect(bitRate(512_000)).toBe('512\u202fkbit/s')
  })
})

describe('the week', () => {
  it('goes into spans and comes back', () => {
    const spans = [{ weekday: 0, start_minute: 480, end_minute: 1080 }, { weekday: 6, start_minute: 0, end_minute: 1440 }]
    expect(spansOf(hoursOf(spans))).toEqual(spans)
  })
})

describe('a form', () => {
  it('sends only what was changed in it', () => {
    const before = { name: 'Gate', area: null, enabled: true, revision: 3 }
    expect(differing(before, { name: 'Yard', area: undefined, enabled: true })).toEqual({ name: 'Yard' })
  })
})

describe('places', () => {
  it('hang under their parents, orphans on top', () => {
    const made = branches([{ id: 'b', name: 'B', parent: 'a' }, { id: 'a', name: 'A', parent: null }, { id: 'c', name: 'C', parent: 'hidden' }])
    expect(made.map((each) => each.value)).toEqual(['a', 'c'])
    expect(made[0]!.children[0]!.value).toBe('b')
  })
})

describe('the timeline', () => {
  const span = { start: 0, end: 100e6 }
  it('zooms around the pointer', () => {
    const near = zoomed(span, 0.5, 25e6)
    expect(near.end - near.start).toBe(50e6)
    expect((25e6 - near.start) / 50e6).toBeCloseTo(0.25)
  })
  it('stays while the cursor is in sight and turns the page when it leaves', () => {
    expect(following(span, 50e6)).toBe(span)
    expect(following(span, 99e6).start).toBe(79e6)
  })
  it('turns to an instant that is out of sight, and stays where it is in sight', () => {
    expect(inSight(span, 100e6)).toBe(span)
    expect(inSight(span, 500e6)).toEqual({ start: 450e6, end: 550e6 })
    expect(inSight(span, -1)).toEqual({ start: -50e6 - 1, end: 50e6 - 1 })
  })
  it('asks the server for rounded stretches and keeps labels apart', () => {
    const one = asked({ start: 1e9, end: 1e9 + 100e6 })
    const two = asked({ start: 1e9 + 2e6, end: 1e9 + 102e6 })
    expect(one).toEqual(two)
    expect(one.start).toBeLessThanOrEqual(1e9)
    expect(tickStep(span, 1000, 76)).toBe(10e6)
  })
})
