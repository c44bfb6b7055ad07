import { describe, expect, it } from 'vitest'
import { local } from '../parts/times'
import { validity } from './fences'

describe('the validity of a fence', () => {
  const old = { valid_from: '2026-01-01T08:00:17.250000Z', valid_until: '2026-02-01T08:00:41.000000Z' }

  it('stays to the second where nobody touched it', () => {
    expect(validity(old, local(old.valid_from), local(old.valid_until))).toEqual(old)
  })

  it('begins at once and has no end where nothing is written', () => {
    expect(validity(undefined, '', '')).toEqual({ valid_until: null })
    expect(validity(old, local(old.valid_from), '')).toEqual({ valid_from: old.valid_from, valid_until: null })
  })

  it('is what was written', () => {
    const told = validity(old, local('2026-03-01T08:00:00Z'), local('2026-04-01T08:00:00Z'))
    expect([told.valid_from, told.valid_until].map((each) => Date.parse(each ?? ''))).toEqual([Date.parse('2026-03-01T08:00:00Z'), Date.parse('2026-04-01T08:00:00Z')])
  })
})
