import { describe, expect, it } from 'vitest'
import { monthsOf, readDays, steppedTo, toggled, usualKind } from './daylist'

describe('a list of special days', () => {
  it('is read in either language, single days and days in a row', () => {
    const text = '2026-10-01 ~ 2026-10-03 休\n2026-10-10,working\r\n\n2027-02-06\t调休上班\n2026-12-26: saturday'
    expect(readDays(text)).toEqual({
      days: { '2026-10-01': 'sunday', '2026-10-02': 'sunday', '2026-10-03': 'sunday', '2026-10-10': 'working', '2027-02-06': 'working', '2026-12-26': 'saturday' },
      unread: [],
    })
  })

  it('takes a day on which nobody works for no working day', () => {
    const text = '2026-10-01 non-working day\n2026-10-02 not working\n2026-10-03 非工作日\n2026-10-04 不上班'
    expect(new Set(Object.values(readDays(text).days))).toEqual(new Set(['sunday']))
  })

  it('says which lines it could not read, and takes the others', () => {
    const text = '2026-02-30 holiday\n2026-05-01\n2026-05-04 2026-05-01 holiday\n2026-05-01 2026-05-02 2026-05-03 holiday\nholiday\n2026-05-05 holiday'
    expect(readDays(text)).toEqual({ days: { '2026-05-05': 'sunday' }, unread: [1, 2, 3, 4, 5] })
  })
})

describe('a year', () => {
  it('has weeks from Monday, also in a leap year', () => {
    const months = monthsOf(2028)
    expect(months).toHaveLength(12)
    expect(months[1]!.filter(Boolean)).toHaveLength(29)
    expect(months[0]!.slice(0, 6)).toEqual([null, null, null, null, null, '2028-01-01'])
  })

  it('turns a working day into a holiday and a weekend into work, and back', () => {
    expect([usualKind('2026-10-01'), usualKind('2026-10-10'), usualKind('2026-10-11')]).toEqual(['working', 'saturday', 'sunday'])
    const days = toggled(toggled({}, '2026-10-01'), '2026-10-10')
    expect(days).toEqual({ '2026-10-01': 'sunday', '2026-10-10': 'working' })
    expect(toggled(days, '2026-10-01')).toEqual({ '2026-10-10': 'working' })
  })
})

describe('keys in a year', () => {
  it('lead to the days and weeks beside, over the ends of months, and not out of the year', () => {
    expect(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].map((key) => steppedTo('2028-03-01', key))).toEqual(['2028-02-29', '2028-03-02', '2028-02-23', '2028-03-08'])
    expect(steppedTo('2028-01-01', 'ArrowLeft')).toBeNull()
    expect(steppedTo('2028-12-28', 'ArrowDown')).toBeNull()
  })

  it('lead to the ends of a month and to the same day of another, or its last one', () => {
    expect(['Home', 'End'].map((key) => steppedTo('2028-02-11', key))).toEqual(['2028-02-01', '2028-02-29'])
    expect(['PageUp', 'PageDown'].map((key) => steppedTo('2028-03-31', key))).toEqual(['2028-02-29', '2028-04-30'])
    expect([steppedTo('2028-01-31', 'PageUp'), steppedTo('2028-12-01', 'PageDown'), steppedTo('2028-12-01', 'a')]).toEqual([null, null, null])
  })
})
