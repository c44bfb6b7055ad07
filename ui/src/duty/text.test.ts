import { describe, expect, it } from 'vitest'
import { fits, textOf, trimmed, widthOf } from './text'

describe('the text of a sign', () => {
  it('counts a Chinese character, and a mark as wide as one, as two columns', () => {
    expect(widthOf('SLOW DOWN')).toBe(9)
    expect(widthOf('前方1.2公里')).toBe(11)
    expect(widthOf('慢行！')).toBe(6)
  })

  it('does not fit with too many lines, a line too wide, or nothing at all', () => {
    const room = { lines: 2, columns: 8 }
    expect(fits(['前方拥堵', '慢行'], room)).toBe(true)
    expect(fits(['前方拥堵1'], room)).toBe(false)
    expect(fits(['a', 'b', 'c'], room)).toBe(false)
    expect(fits([' ', ''], room)).toBe(false)
  })

  it('drops empty lines at the end, not those between', () => {
    expect(trimmed(['a ', '', 'b', ' ', ''])).toEqual(['a', '', 'b'])
  })

  it('speaks the language of the sign', () => {
    expect(textOf('sign.text.queue', 'zh', { lines: 2, columns: 20 })).toEqual(['前方拥堵', '请减速慢行'])
    expect(textOf('sign.text.queue', 'en', { lines: 1, columns: 20 })).toEqual(['QUEUE AHEAD'])
  })
})
