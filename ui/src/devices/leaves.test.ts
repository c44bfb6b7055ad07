import { describe, expect, it } from 'vitest'
import { leaves, type Plain, put, shownValue } from './leaves'

const OSD: Plain = { TimeEnable: '1', Item: [{ Text: 'gate', X: '4' }, { Text: '东门', X: '8' }] }

describe('what only the device understands', () => {
  it('is told value by value, with the way to each', () => {
    expect(leaves(OSD).map((leaf) => [leaf.path.join('/'), leaf.value])).toEqual([
      ['TimeEnable', '1'], ['Item/0/Text', 'gate'], ['Item/0/X', '4'], ['Item/1/Text', '东门'], ['Item/1/X', '8'],
    ])
    expect(leaves('2')).toEqual([{ path: [], value: '2' }])
    expect(leaves({})).toEqual([])
  })

  it('is written back whole, with the one value changed', () => {
    expect(put(OSD, ['Item', '1', 'Text'], 'east')).toEqual({ TimeEnable: '1', Item: [{ Text: 'gate', X: '4' }, { Text: 'east', X: '8' }] })
    expect(put('0', [], '2')).toBe('2')
    expect(OSD).toEqual({ TimeEnable: '1', Item: [{ Text: 'gate', X: '4' }, { Text: '东门', X: '8' }] })
  })

  it('stands in a field as text, and nothing as nothing', () => {
    expect([shownValue(60), shownValue(null), shownValue(undefined), shownValue(false)]).toEqual(['60', '', '', 'false'])
  })
})
